"""Quadratic kappa: agreement on labels in order, beyond chance."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.choices import Confusions
from runner.answers.resamples import Numbers, ratio
from runner.parts.metrics._metric import Metric


class QuadraticKappa(Metric):
    """Cohen's kappa weighted by squared distance of the places of labels, from -1 to 1 (Cohen 1968).

    The order is that of the head's outputs. 0 / 0 is 0: where one label alone occurs, nothing is known.

    ```toml
    type = "quadratic_kappa"
    ```
    """

    kind: ClassVar[str] = "quadratic_kappa"
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    type: Literal["quadratic_kappa"] = "quadratic_kappa"
    """The metric's name."""

    def values(self, resamples: Confusions) -> Numbers:
        import numpy as np

        answers = resamples.answers
        observed = resamples.means((answers.gold - answers.predicted).astype(np.float64) ** 2)
        places = np.arange(len(answers.labels))
        apart = (places[:, None] - places) ** 2.0
        count = resamples.rows.shape[1]
        chance = ((resamples.gold @ apart) * resamples.predicted).sum(1) / count**2
        return ratio(chance - observed, chance)
