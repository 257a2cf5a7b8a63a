"""Spearman correlation: how alike the orders of right and predicted numbers are."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.quantities import Quantities
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._correlation import correlation, sides
from runner.parts.metrics._metric import Metric


class Spearman(Metric):
    """Pearson correlation of the ranks, from -1 to 1; equal numbers share the mean of theirs.

    NaN where either side is constant.

    ```toml
    type = "spearman"
    ```
    """

    kind: ClassVar[str] = "spearman"
    reads: ClassVar[Shape] = Quantities
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    type: Literal["spearman"] = "spearman"
    """The metric's name."""

    def values(self, resamples: Resamples[Quantities]) -> Numbers:
        import numpy as np
        from scipy.stats import rankdata

        ranked = ([rankdata(side) for side in sides(resamples, rows)] for rows in resamples.rows)
        return np.array([correlation(*both) for both in ranked])
