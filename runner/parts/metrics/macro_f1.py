"""Macro F1: every label weighs the same, however rare."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.parts.metrics._metric import Metric
from runner.parts.metrics._resamples import Numbers, Resamples, f1, mean


class MacroF1(Metric):
    """Mean over labels of F1, the harmonic mean of precision and recall, from 0 to 1.

    As in scikit-learn, only labels that occur in gold or predicted count, and 0 / 0 is 0.

    ```toml
    type = "macro_f1"
    ```
    """

    kind: ClassVar[str] = "macro_f1"

    type: Literal["macro_f1"] = "macro_f1"
    """The metric's name."""

    def values(self, resamples: Resamples) -> Numbers:
        return mean(f1(resamples), resamples.occurring)
