"""F1 of each label."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.counted import Counted, Counts, f1
from runner.answers.resamples import Numbers
from runner.parts.metrics._metric import Metric


class ClassF1(Metric):
    """Harmonic mean of the label's precision and recall, from 0 to 1; 0 / 0 is 0.

    Labels that occur neither in gold nor in predicted are left out.

    ```toml
    type = "class_f1"
    ```
    """

    kind: ClassVar[str] = "class_f1"
    reads: ClassVar[Shape] = Counted
    per_class: ClassVar[bool] = True

    type: Literal["class_f1"] = "class_f1"
    """The metric's name."""

    def values(self, resamples: Counts[Any]) -> Numbers:
        import numpy as np

        return np.where(resamples.occurring, f1(resamples), np.nan)
