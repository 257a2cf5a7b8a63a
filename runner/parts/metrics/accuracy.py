"""Accuracy: the share of right answers."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.choices import Confusions
from runner.answers.resamples import Numbers, ratio
from runner.parts.metrics._metric import Metric


class Accuracy(Metric):
    """Share of the examples whose predicted label is the gold one, from 0 to 1.

    ```toml
    type = "accuracy"
    ```
    """

    kind: ClassVar[str] = "accuracy"

    type: Literal["accuracy"] = "accuracy"
    """The metric's name."""

    def values(self, resamples: Confusions) -> Numbers:
        return ratio(resamples.hits.sum(1), resamples.gold.sum(1))
