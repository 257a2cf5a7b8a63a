"""Macro precision: the right share of a label's predictions, averaged over labels."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.parts.metrics._metric import Metric
from runner.parts.metrics._resamples import Numbers, Resamples, mean, precision


class Precision(Metric):
    """Mean over labels of the right share of a label's predictions, from 0 to 1.

    As in scikit-learn, only labels that occur in gold or predicted count, and 0 / 0 is 0.

    ```toml
    type = "precision"
    ```
    """

    kind: ClassVar[str] = "precision"

    type: Literal["precision"] = "precision"
    """The metric's name."""

    def values(self, resamples: Resamples) -> Numbers:
        return mean(precision(resamples), resamples.occurring)
