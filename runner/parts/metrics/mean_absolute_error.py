"""Mean absolute error."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.quantities import Quantities
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric


class MeanAbsoluteError(Metric):
    """Mean distance of the predicted from the right number, in the unit of the target; 0 is perfect.

    ```toml
    type = "mean_absolute_error"
    ```
    """

    kind: ClassVar[str] = "mean_absolute_error"
    reads: ClassVar[Shape] = Quantities
    higher_is_better: ClassVar[bool] = False
    range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "that of the target"

    type: Literal["mean_absolute_error"] = "mean_absolute_error"
    """The metric's name."""

    def values(self, resamples: Resamples[Quantities]) -> Numbers:
        import numpy as np

        return resamples.means(np.abs(resamples.answers.predicted - resamples.answers.gold))
