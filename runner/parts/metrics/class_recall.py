"""Recall of each label."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.counted import Counted, Counts, recall
from runner.answers.resamples import Numbers
from runner.parts.metrics._metric import Metric


class ClassRecall(Metric):
    """Found share of the label's examples, from 0 to 1; 0 / 0 is 0.

    Labels that occur neither in gold nor in predicted are left out.

    ```toml
    type = "class_recall"
    ```
    """

    kind: ClassVar[str] = "class_recall"
    reads: ClassVar[Shape] = Counted
    per_class: ClassVar[bool] = True

    type: Literal["class_recall"] = "class_recall"
    """The metric's name."""

    def values(self, resamples: Counts[Any]) -> Numbers:
        import numpy as np

        return np.where(resamples.occurring, recall(resamples), np.nan)
