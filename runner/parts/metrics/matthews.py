"""Matthews correlation: agreement of gold and predicted beyond chance."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.choices import Confusions
from runner.answers.resamples import Numbers, ratio
from runner.parts.metrics._metric import Metric


class Matthews(Metric):
    """Correlation of gold and predicted labels, from -1 to 1 (Gorodkin 2004 for many labels).

    0 where one side has a single label, as in scikit-learn.

    ```toml
    type = "matthews"
    ```
    """

    kind: ClassVar[str] = "matthews"
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    type: Literal["matthews"] = "matthews"
    """The metric's name."""

    def values(self, resamples: Confusions) -> Numbers:
        import numpy as np

        count = resamples.gold.sum(1)
        agreed = count * resamples.hits.sum(1) - (resamples.gold * resamples.predicted).sum(1)
        spread = [count**2 - (side**2).sum(1) for side in (resamples.gold, resamples.predicted)]
        return ratio(agreed, np.sqrt(spread[0] * spread[1]))
