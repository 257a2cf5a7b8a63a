"""Answers: what a model said about each example of one task and split, as columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Answers:
    """One task's answers on one split; row i of every column is the same example.

    `gold` and `predicted` index `labels`; `probabilities` has shape [examples, labels] and rows that sum to 1.
    """

    task: str
    split: str
    labels: tuple[str, ...]
    ids: tuple[str, ...]
    gold: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: npt.NDArray[np.int64]) -> Answers:
        """The answers of these rows, in this order, repeats allowed; ids are left out since resampling needs none."""
        return replace(
            self,
            ids=(),
            gold=self.gold[rows],
            predicted=self.predicted[rows],
            probabilities=self.probabilities[rows],
        )
