"""How often the better of two answers gets the higher reward."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.preferences import Preferences
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric


class PreferenceAccuracy(Metric):
    """Share of pairs whose better answer has the higher reward, from 0 to 1; pairs with equal rewards count half.

    ```toml
    type = "preference_accuracy"
    ```
    """

    kind: ClassVar[str] = "preference_accuracy"
    reads: ClassVar[Shape] = Preferences

    type: Literal["preference_accuracy"] = "preference_accuracy"
    """The metric's name."""

    def values(self, resamples: Resamples[Preferences]) -> Numbers:
        import numpy as np

        return resamples.means((np.sign(resamples.answers.margins) + 1) / 2)
