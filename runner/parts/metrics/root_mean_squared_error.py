"""Root mean squared error."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.quantities import Quantities
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric


class RootMeanSquaredError(Metric):
    """Root of the mean squared distance of the predicted from the right number, in its unit; 0 is perfect.

    ```toml
    type = "root_mean_squared_error"
    ```
    """

    kind: ClassVar[str] = "root_mean_squared_error"
    reads: ClassVar[Shape] = Quantities
    higher_is_better: ClassVar[bool] = False
    range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "that of the target"

    type: Literal["root_mean_squared_error"] = "root_mean_squared_error"
    """The metric's name."""

    def values(self, resamples: Resamples[Quantities]) -> Numbers:
        import numpy as np

        squares = (resamples.answers.predicted - resamples.answers.gold) ** 2
        found: Numbers = np.sqrt(resamples.means(squares))
        return found
