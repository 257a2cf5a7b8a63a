"""Weighted F1: each label weighs as much as it has examples."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.counted import Counted, Counts, f1
from runner.answers.resamples import Numbers, ratio
from runner.parts.metrics._metric import Metric


class WeightedF1(Metric):
    """Mean over labels of F1, weighted by their number of gold examples, from 0 to 1; 0 / 0 is 0.

    ```toml
    type = "weighted_f1"
    ```
    """

    kind: ClassVar[str] = "weighted_f1"
    reads: ClassVar[Shape] = Counted

    type: Literal["weighted_f1"] = "weighted_f1"
    """The metric's name."""

    def values(self, resamples: Counts[Any]) -> Numbers:
        return ratio((f1(resamples) * resamples.gold).sum(1), resamples.gold.sum(1))
