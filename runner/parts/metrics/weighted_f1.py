"""Weighted F1: each label weighs as much as it has examples."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.parts.metrics._metric import Metric
from runner.parts.metrics._resamples import Numbers, Resamples, f1, ratio


class WeightedF1(Metric):
    """Mean over labels of F1, weighted by their number of gold examples, from 0 to 1; 0 / 0 is 0.

    ```toml
    type = "weighted_f1"
    ```
    """

    kind: ClassVar[str] = "weighted_f1"

    type: Literal["weighted_f1"] = "weighted_f1"
    """The metric's name."""

    def values(self, resamples: Resamples) -> Numbers:
        return ratio((f1(resamples) * resamples.gold).sum(1), resamples.gold.sum(1))
