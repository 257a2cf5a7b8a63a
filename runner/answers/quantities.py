"""Quantities: a number for each example."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from runner.answers.answers import Answers, Place, Told
from runner.answers.resamples import Resamples

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Quantities(Answers):
    """`gold` and `predicted` have shape [examples] and the unit of the target column."""

    shape: ClassVar[str] = "quantities"

    gold: npt.NDArray[np.float64]
    predicted: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: npt.NDArray[np.int64]) -> Quantities:
        return replace(self, ids=(), gold=self.gold[rows], predicted=self.predicted[rows])

    def told(self) -> Told:
        nothing: list[float | None] = [None] * len(self)
        gold, predicted = ([f"{value:.10g}" for value in each.tolist()] for each in (self.gold, self.predicted))
        return Told(gold, predicted, nothing, nothing)

    @classmethod
    def retold(cls, place: Place, told: Told) -> Quantities:
        import numpy as np

        return cls(*place, *(np.array([float(value) for value in each]) for each in (told.gold, told.predicted)))

    def resamples(self, rows: npt.NDArray[np.int64]) -> Resamples[Quantities]:
        return Resamples(self, rows)
