"""Balanced accuracy: recall averaged over the labels that gold has."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.parts.metrics._metric import Metric
from runner.parts.metrics._resamples import Numbers, Resamples, mean, recall


class BalancedAccuracy(Metric):
    """Mean recall of the labels that occur in gold, from 0 to 1 (Brodersen and others 2010).

    ```toml
    type = "balanced_accuracy"
    ```
    """

    kind: ClassVar[str] = "balanced_accuracy"

    type: Literal["balanced_accuracy"] = "balanced_accuracy"
    """The metric's name."""

    def values(self, resamples: Resamples) -> Numbers:
        return mean(recall(resamples), resamples.gold > 0)
