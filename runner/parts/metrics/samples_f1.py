"""Samples F1: F1 of each example, averaged."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers
from runner.answers.sets import SetCounts, Sets
from runner.parts.metrics._metric import Metric


class SamplesF1(Metric):
    """Mean over examples of F1 between the sets of right and predicted labels, from 0 to 1; two empty sets count 1.

    ```toml
    type = "samples_f1"
    ```
    """

    kind: ClassVar[str] = "samples_f1"
    reads: ClassVar[Shape] = Sets

    type: Literal["samples_f1"] = "samples_f1"
    """The metric's name."""

    def values(self, resamples: SetCounts) -> Numbers:
        import numpy as np

        answers = resamples.answers
        hits = 2.0 * (answers.gold & answers.predicted).sum(1)
        both = answers.gold.sum(1) + answers.predicted.sum(1)
        return resamples.means(np.where(both > 0, hits / np.maximum(both, 1), 1.0))
