"""Subset accuracy: the share of examples whose labels are all right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers
from runner.answers.sets import SetCounts, Sets
from runner.parts.metrics._metric import Metric

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class SubsetAccuracy(Metric):
    """Share of examples with exactly the right set of labels, from 0 to 1.

    ```toml
    type = "subset_accuracy"
    ```
    """

    kind: ClassVar[str] = "subset_accuracy"
    reads: ClassVar[Shape] = Sets

    type: Literal["subset_accuracy"] = "subset_accuracy"
    """The metric's name."""

    def values(self, resamples: SetCounts) -> Numbers:
        right = (resamples.answers.gold == resamples.answers.predicted).all(1)
        return resamples.means(right)

    def right(self, answers: Sets) -> npt.NDArray[np.bool_]:
        right: npt.NDArray[np.bool_] = (answers.gold == answers.predicted).all(1)
        return right
