"""Macro recall: the found share of a label's examples, averaged over labels."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.counted import Counted, Counts, recall
from runner.answers.resamples import Numbers, mean
from runner.parts.metrics._metric import Metric


class Recall(Metric):
    """Mean over labels of the found share of a label's examples, from 0 to 1.

    As in scikit-learn, only labels that occur in gold or predicted count, and 0 / 0 is 0.

    ```toml
    type = "recall"
    ```
    """

    kind: ClassVar[str] = "recall"
    reads: ClassVar[Shape] = Counted

    type: Literal["recall"] = "recall"
    """The metric's name."""

    def values(self, resamples: Counts[Any]) -> Numbers:
        return mean(recall(resamples), resamples.occurring)
