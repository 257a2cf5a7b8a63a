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
    flat = any(float(np.abs(d).max()) <= 1e-12 * float(np.abs(v).max()) for d, v in ((one, first), (other, second)))
    if flat:
        return float("nan")
    one, other = one / np.abs(one).max(), other / np.abs(other).max()
    return float(np.clip((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()), -1, 1))
