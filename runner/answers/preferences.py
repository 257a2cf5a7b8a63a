"""Preferences: by how much a model prefers the better of two answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from runner.answers.answers import Answers, Place, Told
from runner.answers.resamples import Resamples

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Preferences(Answers):
    """`margins` [examples] is the reward of the chosen answer less that of the rejected one, in nats."""

    shape: ClassVar[str] = "preferences"

    margins: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.margins)

    def take(self, rows: npt.NDArray[np.int64]) -> Preferences:
        return replace(self, ids=(), margins=self.margins[rows])

    def told(self) -> Told:
        from math import exp

        said = ["chosen" if margin > 0 else "rejected" for margin in self.margins.tolist()]
        chances: list[float | None] = [1 / (1 + exp(-max(min(margin, 700), -700))) for margin in self.margins.tolist()]
        return Told(["chosen"] * len(self), said, [None] * len(self), chances)

    @classmethod
    def retold(cls, place: Place, told: Told) -> Preferences:
        """Margins beyond what a probability can say are infinite."""
        import numpy as np

        chances = np.array(told.gold_probability, np.float64)
        with np.errstate(divide="ignore"):
            return cls(*place, np.log(chances) - np.log1p(-chances))

    def resamples(self, rows: npt.NDArray[np.int64]) -> Resamples[Preferences]:
        return Resamples(self, rows)
