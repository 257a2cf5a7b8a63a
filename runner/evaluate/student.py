"""Student: means over few seeds, their differences, and how sure they are by Student's t distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

NOTHING = float("nan")


@dataclass(frozen=True)
class Mean:
    """A mean of `n` values or of a difference, its confidence interval, and p of the mean 0; NaN where not known."""

    value: float
    low: float
    high: float
    p: float
    n: int


def mean(values: Sequence[float], confidence: float = 0.95) -> Mean:
    """The mean and its t-interval; over differences of pairs, p is that of the paired t-test."""
    if len(values) < 2:
        return Mean(fmean(values) if values else NOTHING, NOTHING, NOTHING, NOTHING, len(values))
    error = stdev(values) / math.sqrt(len(values))
    return told(fmean(values), error, len(values) - 1, len(values), confidence)


def welch(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Mean:
    """The mean of `second` less that of `first` where nothing pairs them; `n` is the smaller number (Welch 1947)."""
    n = min(len(first), len(second))
    if n < 2:
        value = fmean(second) - fmean(first) if n else NOTHING
        return Mean(value, NOTHING, NOTHING, NOTHING, n)
    parts = [stdev(values) ** 2 / len(values) for values in (first, second)]
    bottom = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True))
    freedom = sum(parts) ** 2 / bottom if bottom else n - 1
    return told(fmean(second) - fmean(first), math.sqrt(sum(parts)), freedom, n, confidence)


def told(value: float, error: float, freedom: float, n: int, confidence: float) -> Mean:
    """A mean by its standard error; without any spread nothing but equality has a p."""
    from scipy.special import stdtr, stdtrit

    half = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(value) / error)) if error else (1.0 if value == 0 else NOTHING)
    return Mean(value, value - half, value + half, p, n)


def cohen(first: Sequence[float], second: Sequence[float]) -> float:
    """The difference of means in units of the pooled standard deviation (Cohen 1988); NaN where there is none."""
    freedom = len(first) + len(second) - 2
    if min(len(first), len(second)) < 2:
        return NOTHING
    squares = sum(stdev(values) ** 2 * (len(values) - 1) for values in (first, second))
    pooled = math.sqrt(squares / freedom)
    return (fmean(second) - fmean(first)) / pooled if pooled else NOTHING
