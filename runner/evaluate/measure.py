"""Answers -> Measures: each metric's value with its bootstrap interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from runner import kinds
from runner.answers.answers import Answers
from runner.answers.resamples import Numbers, Resamples
from runner.evaluate.bca import bca, percentile
from runner.evaluate.draws import clustered, draw, draw_clusters, leave_out
from runner.parts.metrics._metric import Metric

Scores = Mapping[str, Mapping[str, Numbers]]


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
    answers: Answers,
    metrics: Sequence[str],
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    method: Literal["bca", "percentile"] = "bca",
    clusters: Sequence[str] | None = None,
) -> list[Measure]:
    """The metrics of these answers, each with its bootstrap interval over examples (Efron 1979).

    `clusters` names whose examples are drawn together, as they are alike; by default each is drawn alone. Draws depend
    on the seed, task, split and number of examples only: one more metric changes no other's interval.
    """
    parts: dict[str, Any] = {metric: kinds.pick("metrics", metric)() for metric in metrics}
    if not len(answers):
        return [Measure(answers.task, metric, np.nan, np.nan, np.nan, 0) for metric in parts]
    drawn = {metric: part for metric, part in parts.items() if getattr(part, "drawn", True)}
    units = None if clusters is None else clustered(clusters)
    samples = draw(answers, resamples, seed) if units is None else draw_clusters(answers, units, resamples, seed)
    chunks = scored(drawn, samples)
    without = scored(drawn, leave_out(answers, units)) if method == "bca" else []
    return [
        one
        for metric, part in parts.items()
        for one in intervals(answers, metric, part.score(answers), chunks, without, confidence, method)
    ]


def scored(parts: Mapping[str, Any], chunks: Iterable[Resamples[Any]]) -> list[Scores]:
    """The scores of many samples by metric and key, chunk by chunk."""
    return [{metric: scores(part, chunk) for metric, part in parts.items()} for chunk in chunks]


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
    chunks: Sequence[Scores],
    without: Sequence[Scores],
    confidence: float,
    method: str,
) -> Iterator[Measure]:
    """The Measures of one metric, one a key of its score."""
    for key, value in score.items():
        drawn = gathered(chunks, metric, key)
        if method == "bca":
            low, high = bca(drawn, value, gathered(without, metric, key), confidence)
        else:
            low, high = interval(drawn, confidence)
        yield Measure(answers.task, f"{metric}.{key}" if key else metric, value, low, high, len(answers))


def gathered(chunks: Sequence[Scores], metric: str, key: str) -> Numbers:
    """The values of all chunks."""
    found = [chunk[metric][key] for chunk in chunks if key in chunk.get(metric, {})]
    return np.concatenate(found or [np.empty(0)])


def interval(values: Numbers, confidence: float) -> tuple[float, float]:
    """The middle `confidence` of the finite values; NaN, NaN where there are none."""
    tail = (1 - confidence) / 2
    return percentile(values[np.isfinite(values)], np.array([tail, 1 - tail]))
