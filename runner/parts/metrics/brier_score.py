"""Brier score: how far probabilities are from what happened."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.choices import Confusions
from runner.answers.resamples import Numbers
from runner.parts.metrics._metric import Metric


class BrierScore(Metric):
    """Mean squared distance of the probabilities from 1 for the gold label and 0 for others (Brier 1950); 0 is perfect.

    Summed over the labels, so that being sure and wrong costs 2.

    ```toml
    type = "brier_score"
    ```
    """

    kind: ClassVar[str] = "brier_score"
    higher_is_better: ClassVar[bool] = False
    range: ClassVar[tuple[float, float]] = (0.0, 2.0)

    type: Literal["brier_score"] = "brier_score"
    """The metric's name."""

    def values(self, resamples: Confusions) -> Numbers:
        import numpy as np

        answers = resamples.answers
        right = answers.probabilities[np.arange(len(answers)), answers.gold]
        squares = (answers.probabilities**2).sum(1) - 2 * right + 1
        found: Numbers = squares[resamples.rows].mean(1)  # row by row, so that no chunk rounds otherwise
        return found
