"""Micro F1: hits and misses of all labels are summed before the ratio."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.parts.metrics._metric import Metric
from runner.parts.metrics._resamples import Numbers, Resamples, ratio


class MicroF1(Metric):
    """F1 of the summed counts of all labels, from 0 to 1; with one label an example it equals accuracy.

    ```toml
    type = "micro_f1"
    ```
    """

    kind: ClassVar[str] = "micro_f1"

    type: Literal["micro_f1"] = "micro_f1"
    """The metric's name."""

    def values(self, resamples: Resamples) -> Numbers:
        return ratio(2 * resamples.hits.sum(1), (resamples.gold + resamples.predicted).sum(1))
