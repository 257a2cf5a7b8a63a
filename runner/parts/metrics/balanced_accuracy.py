"""Balanced accuracy: recall averaged over the labels that gold has."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.choices import Confusions
from runner.answers.counted import recall
from runner.answers.resamples import Numbers, mean
from runner.parts.metrics._metric import Metric


class BalancedAccuracy(Metric):
    """Mean recall of the labels that occur in gold, from 0 to 1 (Brodersen and others 2010).

    ```toml
    type = "balanced_accuracy"
    ```
    """

    kind: ClassVar[str] = "balanced_accuracy"

    type: Literal["balanced_accuracy"] = "balanced_accuracy"
    """The metric's name."""

    def values(self, resamples: Confusions) -> Numbers:
        return mean(recall(resamples), resamples.gold > 0)
