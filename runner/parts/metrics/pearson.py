"""Pearson correlation: how linear the relation of right and predicted numbers is."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.quantities import Quantities
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._correlation import correlation, sides
from runner.parts.metrics._metric import Metric


class Pearson(Metric):
    """Covariance over the product of the standard deviations, from -1 to 1; NaN where either side is constant.

    ```toml
    type = "pearson"
    ```
    """

    kind: ClassVar[str] = "pearson"
    reads: ClassVar[Shape] = Quantities
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    type: Literal["pearson"] = "pearson"
    """The metric's name."""

    def values(self, resamples: Resamples[Quantities]) -> Numbers:
        import numpy as np

        return np.array([correlation(*sides(resamples, rows)) for rows in resamples.rows])
