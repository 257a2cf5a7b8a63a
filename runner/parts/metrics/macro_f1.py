"""Macro F1: every label weighs the same, however rare."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.counted import Counted, Counts, f1
from runner.answers.resamples import Numbers, mean
from runner.parts.metrics._metric import Metric


class MacroF1(Metric):
    """Mean over labels of F1, the harmonic mean of precision and recall, from 0 to 1.

    Only labels that occur in gold or predicted count, as in scikit-learn for single labels, and 0 / 0 is 0.

    ```toml
    type = "macro_f1"
    ```
    """

    kind: ClassVar[str] = "macro_f1"
    reads: ClassVar[Shape] = Counted

    type: Literal["macro_f1"] = "macro_f1"
    """The metric's name."""

    def values(self, resamples: Counts[Any]) -> Numbers:
        return mean(f1(resamples), resamples.occurring)
