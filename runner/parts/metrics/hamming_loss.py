"""Hamming loss: the share of wrong decisions."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers
from runner.answers.sets import SetCounts, Sets
from runner.parts.metrics._metric import Metric


class HammingLoss(Metric):
    """Share of wrong yes-or-no decisions over all labels of all examples, from 0 to 1; 0 is perfect.

    ```toml
    type = "hamming_loss"
    ```
    """

    kind: ClassVar[str] = "hamming_loss"
    reads: ClassVar[Shape] = Sets
    higher_is_better: ClassVar[bool] = False

    type: Literal["hamming_loss"] = "hamming_loss"
    """The metric's name."""

    def values(self, resamples: SetCounts) -> Numbers:
        wrong = resamples.answers.gold != resamples.answers.predicted
        return resamples.means(wrong.mean(1))
