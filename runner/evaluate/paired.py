"""Paired: by how much one model scores above another on the same examples, and how often chance does as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runner import kinds
from runner.answers.answers import Answers
from runner.answers.resamples import Numbers
from runner.evaluate.draws import chunked
from runner.evaluate.mcnemar import mcnemar
from runner.evaluate.measure import interval, scores

EPSILON = 1e-12  # differences nearer than this are equal: sums were only rounded in another order


@dataclass(frozen=True)
class Difference:
    """What the second model scores above the first, `second - first`, on `n` pairs of answers.

    `low` and `high` are the ends of the paired bootstrap interval, `p` is that of the permutation test and `mcnemar`
    that of McNemar's; NaN where there is none.
    """

    task: str
    metric: str
    first: float
    second: float
    value: float
    low: float
    high: float
    p: float
    mcnemar: float
    n: int


def paired(
    both: Answers, metrics: Sequence[str], confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> list[Difference]:
    """The differences in these metrics; `both` has the answers of the first model, then those of the second.

    Both are on the same examples in the same order. The interval is the percentile bootstrap over examples, drawn for
    both models alike; p is that of approximate randomisation, which swaps the answers of both models at random
    examples: the sign-flip test where a metric is a mean over examples (Noreen 1989). Metrics of one number a label get
    no p: so many tests would hide the others.
    """
    n = len(both) // 2
    parts: dict[str, Any] = {metric: kinds.pick("metrics", metric)() for metric in metrics}
    if not n:
        return []
    one, other = np.arange(n), np.arange(n, 2 * n)
    drawn = [
        differences(both, {m: part for m, part in parts.items() if getattr(part, "drawn", True)}, rows, rows + n)
        for rows in chunked(both, n, resamples, [seed], lambda rng, shape: rng.integers(n, size=shape))
    ]
    tested = {metric: part for metric, part in parts.items() if not getattr(part, "per_class", False)}
    swapped = [
        differences(both, tested, np.where(swap, other, one), np.where(swap, one, other))
        for swap in chunked(both, n, resamples, [seed, 1], lambda rng, shape: rng.random(shape) < 0.5)
    ]
    return [
        found for metric, part in parts.items() for found in differing(both, metric, part, drawn, swapped, confidence)
    ]


def differences(
    both: Answers, parts: Mapping[str, Any], first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
) -> dict[tuple[str, str], Numbers]:
    """By metric and key, the scores of the rows `second` less those of the rows `first`, sample by sample."""
    one, other = both.resamples(first), both.resamples(second)
    found: dict[tuple[str, str], Numbers] = {}
    for metric, part in parts.items():
        before, after = scores(part, one), scores(part, other)
        found |= {(metric, key): gaps(values, after[key]) for key, values in before.items() if key in after}
    return found


def gaps(before: Numbers, after: Numbers) -> Numbers:
    """`after - before`, and 0 where only rounding differs."""
    found = after - before
    return np.where(np.abs(found) < EPSILON, 0.0, found)


def differing(
    both: Answers,
    metric: str,
    part: Any,
    drawn: Sequence[Mapping[tuple[str, str], Numbers]],
    swapped: Sequence[Mapping[tuple[str, str], Numbers]],
    confidence: float,
) -> Iterator[Difference]:
    """The differences in one metric, one a key of its score that both have."""
    n = len(both) // 2
    first, second = part.score(both.take(np.arange(n))), part.score(both.take(np.arange(n, 2 * n)))
    right = part.right(both) if hasattr(part, "right") else None
    exact = np.nan if right is None else mcnemar(*(int(each.sum()) for each in only(right)))
    for key in first:
        if key in second:
            value = second[key] - first[key]
            low, high = interval(gathered(drawn, metric, key), confidence)
            p = chance(value, gathered(swapped, metric, key))
            name = f"{metric}.{key}" if key else metric
            yield Difference(both.task, name, first[key], second[key], value, low, high, p, exact, n)


def only(right: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Where only the first model is right, and where only the second is."""
    first, second = np.split(right, 2)
    return first & ~second, second & ~first


def gathered(chunks: Sequence[Mapping[tuple[str, str], Numbers]], metric: str, key: str) -> Numbers:
    """The values of all chunks."""
    return np.concatenate([chunk[metric, key] for chunk in chunks if (metric, key) in chunk] or [np.empty(0)])


def chance(value: float, swapped: Numbers) -> float:
    """How often a difference as large comes about by swaps alone, what was seen counted as one of them."""
    if not len(swapped) or not np.isfinite(value):
        return np.nan
    as_large = ~(np.abs(swapped) < abs(value) - EPSILON)  # what is not finite counts as large
    return float((1 + as_large.sum()) / (1 + len(swapped)))
