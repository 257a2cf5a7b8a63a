"""Pearson correlation: how linear the relation of right and predicted numbers is."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.quantities import Quantities
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric


class Pearson(Metric):
    """Covariance over the product of the standard deviations, from -1 to 1; NaN where either side is constant.

    ```toml
    type = "pearson"
    ```
    """

    kind: ClassVar[str] = "pearson"
    reads: ClassVar[Shape] = Quantities

    type: Literal["pearson"] = "pearson"
    """The metric's name."""

    def values(self, resamples: Resamples[Quantities]) -> Numbers:
        import numpy as np

        return np.array([correlation(*sides(resamples, rows)) for rows in resamples.rows])


def sides(resamples: Resamples[Quantities], rows: Any) -> tuple[Any, Any]:
    """Right and predicted numbers of one sample."""
    return resamples.answers.gold[rows], resamples.answers.predicted[rows]


def correlation(first: Any, second: Any) -> float:
    """The correlation of two columns of numbers; NaN where one is constant."""
    import numpy as np

    one, other = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((one**2).sum() * (other**2).sum()))
    flat = spread <= 1e-12 * max(float(np.abs(first).max() * np.abs(second).max()), 1e-300) * len(first)
    return float("nan") if flat else float(np.clip((one * other).sum() / spread, -1, 1))
