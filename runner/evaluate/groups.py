"""Groups: the metrics of the examples that share a value, such as a genre or a range of lengths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from runner import kinds
from runner.answers.answers import Answers
from runner.evaluate.measure import measure

SHORTEST = 8  # words of a text in the first bucket, at most; each further bucket reaches twice as far


@dataclass(frozen=True)
class GroupScore:
    """A metric on the `n` examples of one group; `enough` says that they may be the worst group."""

    group_name: str
    metric: str
    position: int
    value: float
    low: float
    high: float
    n: int
    enough: bool


def by_group(
    answers: Answers,
    names: Sequence[str],
    metrics: Sequence[str],
    smallest: int,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    method: Literal["bca", "percentile"] = "bca",
    clusters: Sequence[str] | None = None,
) -> Iterator[GroupScore]:
    """The metrics of each group, groups in the order of their names; `names` says whose group each example is.

    Metrics of one number a label are left out: a group and a label together are few examples.
    """
    asked = [metric for metric in metrics if not getattr(part(metric), "per_class", False)]
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    for name in sorted(places):
        rows = np.array(places[name])
        units = None if clusters is None else [clusters[place] for place in places[name]]
        found = measure(answers.take(rows), asked, confidence, resamples, seed, method, units)
        for position, each in enumerate(found):
            score = each.metric, position, each.value, each.low, each.high
            yield GroupScore(name, *score, len(rows), len(rows) >= smallest)


def part(metric: str) -> Any:
    """The metric of this name."""
    return kinds.pick("metrics", metric)


def buckets(texts: Sequence[str]) -> list[str]:
    """The range that the number of words of each text lies in, such as `009 to 016`; names sort as numbers do."""
    return [bucket(len(text.split())) for text in texts]


def bucket(words: int) -> str:
    """The range of a number of words."""
    low, high = 0, SHORTEST
    while words > high:
        low, high = high + 1, 2 * high
    return f"{low:03} to {high:03}"
