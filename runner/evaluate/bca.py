"""BCa: bootstrap intervals corrected for bias and skewness (Efron 1987, doi:10.1080/01621459.1987.10478410)."""

from __future__ import annotations

import numpy as np

from runner.answers.resamples import Numbers

DIGITS = 9  # of the acceleration: how many samples are scored at once changes the last bits


def bca(drawn: Numbers, value: float, left_out: Numbers, confidence: float) -> tuple[float, float]:
    """The interval of a score `value` by the scores of samples, and by those of all examples but some.

    The percentile interval where the correction is not defined: all samples lie on one side of the score, or it is so
    skewed that the correction would turn it around.
    """
    samples, left_out = (each[np.isfinite(each)] for each in (drawn, left_out))
    tail = (1 - confidence) / 2
    shares = np.array([tail, 1 - tail])
    if not np.isfinite(value) or len(samples) < 2:
        return percentile(samples, shares)
    below = (np.count_nonzero(samples < value) + np.count_nonzero(samples <= value)) / (2 * len(samples))
    corrected = shifted(shares, below, acceleration(left_out))
    return percentile(samples, shares if corrected is None else corrected)


def shifted(shares: Numbers, below: float, skew: float) -> Numbers | None:
    """Which quantiles of the samples to take instead; None where none can be told."""
    from scipy.special import ndtr, ndtri

    if not 0 < below < 1:
        return None
    bias = ndtri(below)
    reached = bias + ndtri(shares)
    shrunk = 1 - skew * reached
    found: Numbers = ndtr(bias + reached / np.where(shrunk > 0, shrunk, np.nan))
    return None if np.isnan(found).any() else found


def acceleration(left_out: Numbers) -> float:
    """How fast the error of a score changes with the score, by the jackknife; 0 where nothing moves it."""
    away = left_out.mean() - left_out if len(left_out) else left_out
    spread = float((away**2).sum())
    return round(float((away**3).sum()) / (6 * spread**1.5), DIGITS) if spread > 0 else 0.0


def percentile(samples: Numbers, shares: Numbers) -> tuple[float, float]:
    """The quantiles of the samples; NaN, NaN where there are none."""
    if not len(samples):
        return np.nan, np.nan
    low, high = np.quantile(samples, shares)
    return float(low), float(high)
