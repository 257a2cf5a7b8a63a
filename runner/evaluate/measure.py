"""Answers -> Measures: each metric's value with its bootstrap interval."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runner import kinds
from runner.answers.answers import Answers
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric

CHUNK = 2**20  # drawn examples held in memory at once
Made = Callable[[np.random.Generator, tuple[int, int]], npt.NDArray[Any]]


@dataclass(frozen=True)
class Measure:
    """A metric's value on `n` examples and its confidence interval; NaN where there is none.

    A per-class metric is named `class_f1.LABEL`.
    """

    task: str
    metric: str
    value: float
    low: float
    high: float
    n: int


def measure(
    answers: Answers, metrics: Sequence[str], confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> list[Measure]:
    """The metrics of these answers, each with its percentile bootstrap interval over examples (Efron 1979).

    Draws depend on the seed, task, split and number of examples only: one more metric changes no other's interval.
    """
    parts: dict[str, Any] = {metric: kinds.pick("metrics", metric)() for metric in metrics}
    if not len(answers):
        return [Measure(answers.task, metric, np.nan, np.nan, np.nan, 0) for metric in parts]
    drawn = {metric: part for metric, part in parts.items() if getattr(part, "drawn", True)}
    chunks: list[Mapping[str, Mapping[str, Numbers]]] = [
        {metric: scores(part, chunk) for metric, part in drawn.items()} for chunk in draw(answers, resamples, seed)
    ]
    return [
        one
        for metric, part in parts.items()
        for one in intervals(answers, metric, part.score(answers), chunks, confidence)
    ]


def draw(answers: Answers, resamples: int, seed: int) -> Iterator[Resamples[Any]]:
    """Samples of the examples with replacement, each as large as the answers, in chunks that fit the cache."""
    n = len(answers)
    for rows in chunked(answers, n, resamples, [seed], lambda rng, shape: rng.integers(n, size=shape)):
        yield answers.resamples(rows)


def chunked(answers: Answers, n: int, resamples: int, seeds: Sequence[int], made: Made) -> Iterator[npt.NDArray[Any]]:
    """What is drawn of `n` examples, shape [samples, n]; it depends on the seeds, the task and the split only."""
    digest = hashlib.sha256(f"{answers.task}\0{answers.split}".encode()).digest()
    rng = np.random.default_rng([*seeds, int.from_bytes(digest[:8], "big")])
    step = max(CHUNK // n, 1)
    for start in range(0, resamples, step):
        yield made(rng, (min(step, resamples - start), n))


def scores(part: Any, resamples: Resamples[Any]) -> dict[str, Numbers]:
    """A metric of each sample by key; one that only offers `score` is asked sample by sample."""
    if isinstance(part, Metric):
        return part.scores(resamples)
    each = [part.score(resamples.answers.take(rows)) for rows in resamples.rows]
    keys = dict.fromkeys(key for one in each for key in one)
    return {key: np.array([one.get(key, np.nan) for one in each], dtype=np.float64) for key in keys}


def intervals(
    answers: Answers,
    metric: str,
    score: Mapping[str, float],
    chunks: Sequence[Mapping[str, Mapping[str, Numbers]]],
    confidence: float,
) -> Iterator[Measure]:
    """The Measures of one metric, one a key of its score."""
    for key, value in score.items():
        drawn = [chunk[metric][key] for chunk in chunks if key in chunk.get(metric, {})]
        values = np.concatenate(drawn or [np.empty(0)])
        name = f"{metric}.{key}" if key else metric
        yield Measure(answers.task, name, value, *interval(values, confidence), len(answers))


def interval(values: Numbers, confidence: float) -> tuple[float, float]:
    """The middle `confidence` of the finite values; NaN, NaN where there are none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return float(low), float(high)
