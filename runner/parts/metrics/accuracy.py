"""Accuracy: the share of right answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from runner.answers.choices import Choices, Confusions
from runner.answers.resamples import Numbers, ratio
from runner.parts.metrics._metric import Metric

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


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

    def right(self, answers: Choices) -> npt.NDArray[np.bool_]:
        right: npt.NDArray[np.bool_] = answers.gold == answers.predicted
        return right
