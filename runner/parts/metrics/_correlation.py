"""Correlation of right and predicted numbers."""

from __future__ import annotations

from typing import Any

from runner.answers.quantities import Quantities
from runner.answers.resamples import Resamples


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
