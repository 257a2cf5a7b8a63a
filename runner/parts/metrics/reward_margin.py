"""By how much the better of two answers is preferred."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.preferences import Preferences
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric


class RewardMargin(Metric):
    """Mean reward of the better answer less that of the worse one, in nats times `beta`; 0 before training.

    ```toml
    type = "reward_margin"
    ```
    """

    kind: ClassVar[str] = "reward_margin"
    reads: ClassVar[Shape] = Preferences
    range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    unit: ClassVar[str] = "nats"

    type: Literal["reward_margin"] = "reward_margin"
    """The metric's name."""

    def values(self, resamples: Resamples[Preferences]) -> Numbers:
        return resamples.means(resamples.answers.margins)
