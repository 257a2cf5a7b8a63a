"""R2: the share of variance that is explained."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.quantities import Quantities
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric


class R2(Metric):
    """One minus squared error over the variance of the right numbers: 1 is perfect, 0 as good as their mean.

    NaN where the right numbers are all equal.

    ```toml
    type = "r2"
    ```
    """

    kind: ClassVar[str] = "r2"
    reads: ClassVar[Shape] = Quantities
    range: ClassVar[tuple[float, float]] = (-math.inf, 1.0)

    type: Literal["r2"] = "r2"
    """The metric's name."""

    def values(self, resamples: Resamples[Quantities]) -> Numbers:
        import numpy as np

        gold, predicted = resamples.answers.gold, resamples.answers.predicted
        shifted = gold - gold.mean()
        squares = resamples.means(np.stack([(predicted - gold) ** 2, shifted, shifted**2], axis=1))
        variance = squares[:, 2] - squares[:, 1] ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(variance > 1e-12 * squares[:, 2], 1 - squares[:, 0] / variance, np.nan)
