"""Ranks: at which place of all candidates the right one was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from runner.answers.answers import Answers, Place, Told
from runner.answers.resamples import Resamples

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Ranks(Answers):
    """`ranks` [examples] count from 1; `candidates` [examples] is how many texts there were to choose from."""

    shape: ClassVar[str] = "ranks"

    ranks: npt.NDArray[np.int64]
    candidates: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ranks)

    def take(self, rows: npt.NDArray[np.int64]) -> Ranks:
        return replace(self, ids=(), ranks=self.ranks[rows], candidates=self.candidates[rows])

    def told(self) -> Told:
        nothing: list[float | None] = [None] * len(self)
        return Told(["1"] * len(self), [str(rank) for rank in self.ranks.tolist()], nothing, nothing)

    @classmethod
    def retold(cls, place: Place, told: Told) -> Ranks:
        """Nothing says how many candidates there were."""
        import numpy as np

        ranks = np.array([int(rank) for rank in told.predicted], np.int64)
        return cls(*place, ranks, np.zeros_like(ranks))

    def resamples(self, rows: npt.NDArray[np.int64]) -> Resamples[Ranks]:
        return Resamples(self, rows)
