"""Macro precision: the right share of a label's predictions, averaged over labels."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.counted import Counted, Counts, precision
from runner.answers.resamples import Numbers, mean
from runner.parts.metrics._metric import Metric


class Precision(Metric):
    """Mean over labels of the right share of a label's predictions, from 0 to 1.

    As in scikit-learn, only labels that occur in gold or predicted count, and 0 / 0 is 0.

    ```toml
    type = "precision"
    ```
    """

    kind: ClassVar[str] = "precision"
    reads: ClassVar[Shape] = Counted

    type: Literal["precision"] = "precision"
    """The metric's name."""

    def values(self, resamples: Counts[Any]) -> Numbers:
        return mean(precision(resamples), resamples.occurring)
