"""Micro F1: hits and misses of all labels are summed before the ratio."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.counted import Counted, Counts
from runner.answers.resamples import Numbers, ratio
from runner.parts.metrics._metric import Metric


class MicroF1(Metric):
    """F1 of the summed counts of all labels, from 0 to 1; with one label an example it equals accuracy.

    ```toml
    type = "micro_f1"
    ```
    """

    kind: ClassVar[str] = "micro_f1"
    reads: ClassVar[Shape] = Counted

    type: Literal["micro_f1"] = "micro_f1"
    """The metric's name."""

    def values(self, resamples: Counts[Any]) -> Numbers:
        return ratio(2 * resamples.hits.sum(1), (resamples.gold + resamples.predicted).sum(1))
