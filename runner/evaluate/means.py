"""Means of what judges and proxies say of texts, with their bootstrap intervals over the texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runner.answers.answers import Answers
from runner.evaluate.draws import chunked
from runner.evaluate.measure import Measure, interval


def mean(
    given: Answers, metric: str, values: Sequence[float | None], confidence: float, resamples: int, seed: int
) -> Measure:
    """The mean of the values that are there, and its percentile interval (Efron 1979); NaN where there are none.

    `given` are the texts, whose task and split decide the draws. One value has no interval.
    """
    known = np.array([value for value in values if value is not None and np.isfinite(value)], np.float64)
    n = len(known)
    if n < 2:
        return Measure(given.task, metric, float(known.mean()) if n else np.nan, np.nan, np.nan, n)
    rows = chunked(given, n, resamples, [seed], lambda rng, shape: rng.integers(n, size=shape))
    drawn = np.concatenate([known[each].mean(1) for each in rows])
    return Measure(given.task, metric, float(known.mean()), *interval(drawn, confidence), n)
