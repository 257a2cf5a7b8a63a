"""Macro recall: the found share of a label's examples, averaged over labels."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.parts.metrics._metric import Metric
from runner.parts.metrics._resamples import Numbers, Resamples, mean, recall


class Recall(Metric):
    """Mean over labels of the found share of a label's examples, from 0 to 1.

    As in scikit-learn, only labels that occur in gold or predicted count, and 0 / 0 is 0.

    ```toml
    type = "recall"
    ```
    """

    kind: ClassVar[str] = "recall"

    type: Literal["recall"] = "recall"
    """The metric's name."""

    def values(self, resamples: Resamples) -> Numbers:
        return mean(recall(resamples), resamples.occurring)
