"""Log loss: surprise at the gold label."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from runner.answers.choices import Confusions
from runner.answers.resamples import Numbers
from runner.parts.metrics._metric import Metric


class LogLoss(Metric):
    """Mean negative natural logarithm of the gold label's probability, in nats; 0 is perfect.

    As in scikit-learn, probabilities are clipped to [eps, 1 - eps] of float64.

    ```toml
    type = "log_loss"
    ```
    """

    kind: ClassVar[str] = "log_loss"
    higher_is_better: ClassVar[bool] = False
    range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "nats"

    type: Literal["log_loss"] = "log_loss"
    """The metric's name."""

    def values(self, resamples: Confusions) -> Numbers:
        import numpy as np

        answers = resamples.answers
        eps = np.finfo(np.float64).eps
        chances = answers.probabilities[np.arange(len(answers)), answers.gold]
        losses: Numbers = -np.log(np.clip(chances, eps, 1 - eps))
        means: Numbers = losses[resamples.rows].mean(1)
        return means
