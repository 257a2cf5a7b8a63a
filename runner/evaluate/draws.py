"""Draws: which examples each sample of a bootstrap has, alone or with all of their cluster, and which a jackknife."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from runner.answers.answers import Answers
from runner.answers.resamples import Resamples

CHUNK = 2**20  # drawn examples held in memory at once
BLOCKS = 400  # samples of a jackknife at most
Rows: TypeAlias = "npt.NDArray[np.int64]"
Made = Callable[[np.random.Generator, tuple[int, int]], npt.NDArray[Any]]


def draw(answers: Answers, resamples: int, seed: int) -> Iterator[Resamples[Any]]:
    """Samples of the examples with replacement, each as large as the answers, in chunks that fit the cache."""
    n = len(answers)
    for rows in chunked(answers, n, resamples, [seed], lambda rng, shape: rng.integers(n, size=shape)):
        yield answers.resamples(rows)


def draw_clusters(answers: Answers, clusters: Sequence[Rows], resamples: int, seed: int) -> Iterator[Resamples[Any]]:
    """Samples of clusters with replacement, each as many as there are; a cluster comes with all its examples."""
    n = len(clusters)
    for chosen in chunked(answers, n, resamples, [seed], lambda rng, shape: rng.integers(n, size=shape)):
        yield from together(answers, (np.concatenate([clusters[place] for place in row]) for row in chosen.tolist()))


def leave_out(answers: Answers, clusters: Sequence[Rows] | None = None) -> Iterator[Resamples[Any]]:
    """All examples but one, or but one cluster, in turn; of more than `BLOCKS` as many go at once as make that many.

    Those that go together stand far from each other, so that files in order of their labels do no harm.
    """
    n = len(answers) if clusters is None else len(clusters)
    if n < 2:
        return
    units = np.arange(n)

    def kept(block: int) -> Rows:
        stay = units[units % min(n, BLOCKS) != block]
        return stay if clusters is None else np.concatenate([clusters[place] for place in stay])

    yield from together(answers, map(kept, range(min(n, BLOCKS))))


def together(answers: Answers, samples: Iterable[Rows]) -> Iterator[Resamples[Any]]:
    """Samples of any sizes; those of one size that follow each other share what is counted."""
    for size, alike in groupby(samples, len):
        while some := list(islice(alike, max(CHUNK // max(size, 1), 1))):
            yield answers.resamples(np.stack(some))


def clustered(names: Sequence[str]) -> list[Rows]:
    """The examples of each cluster, clusters in the order of their first example."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return [np.array(each) for each in places.values()]


def chunked(answers: Answers, n: int, resamples: int, seeds: Sequence[int], made: Made) -> Iterator[npt.NDArray[Any]]:
    """What is drawn of `n` examples, shape [samples, n]; it depends on the seeds, the task and the split only."""
    digest = hashlib.sha256(f"{answers.task}\0{answers.split}".encode()).digest()
    rng = np.random.default_rng([*seeds, int.from_bytes(digest[:8], "big")])
    step = max(CHUNK // n, 1)
    for start in range(0, resamples, step):
        yield made(rng, (min(step, resamples - start), n))
