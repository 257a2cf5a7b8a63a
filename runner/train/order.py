"""Order: which rows of which stream make each batch, a pure function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from runner.kinds import Part
from runner.model.stream import Stream

POOL = 50  # batches whose rows are sorted by length together


@dataclass(frozen=True)
class Draw:
    """One batch to be: its stream, its rows, and the factor of the sum of each task's losses in that of its step."""

    stream: str
    rows: tuple[int, ...]
    shares: Mapping[str, float]


def draws(
    streams: Mapping[str, Stream],
    mixing: Part,
    seed: int,
    epoch: int,
    *,
    batch_size: int,
    accumulate: int,
    grouped: bool,
) -> list[Draw]:
    """The batches of one epoch in order; every row once when mixing is proportional."""
    names = list(streams)
    counts = {name: -(-len(streams[name]) // batch_size) for name in names}
    queues = {
        name: passes(streams[name].lengths, (seed, epoch, index), batch_size, grouped)
        for index, name in enumerate(names)
    }
    order = turns(counts, mixing, np.random.default_rng([seed, epoch, 2**20]))
    batches = [(name, next(queues[name])) for name in order]
    found = []
    for start in range(0, len(batches), accumulate):
        step = batches[start : start + accumulate]
        shares = shares_of(step, streams)
        found += [Draw(name, rows, {task: shares[task] for task in streams[name].tasks}) for name, rows in step]
    return found


def shares_of(step: Sequence[tuple[str, tuple[int, ...]]], streams: Mapping[str, Stream]) -> dict[str, float]:
    """Each task's share of the examples of one optimizer step, divided by its labelled units there."""
    rows: dict[str, int] = {}
    units: dict[str, int] = {}
    for name, drawn in step:
        for task in streams[name].tasks:
            rows[task] = rows.get(task, 0) + len(drawn)
            units[task] = units.get(task, 0) + streams[name].units(task, drawn)
    whole = sum(len(drawn) for _, drawn in step)
    return {task: rows[task] / whole / max(units[task], 1) for task in rows}


def turns(counts: Mapping[str, int], mixing: Part, rng: np.random.Generator) -> list[str]:
    """The stream of each batch of an epoch; an epoch has as many batches as all streams together."""
    names, total = list(counts), sum(counts.values())
    if getattr(mixing, "ordered", False):
        return [names[index % len(names)] for index in range(total)]
    shares = mixing.shares(counts)  # type: ignore[attr-defined]
    exact = np.array([shares[name] * total for name in names])
    whole = np.floor(exact + 1e-9).astype(int)
    for index in np.argsort(whole - exact, kind="stable")[: total - whole.sum()]:
        whole[index] += 1
    return [names[index] for index in rng.permutation(np.repeat(np.arange(len(names)), whole))]


def passes(lengths: np.ndarray, words: tuple[int, ...], batch_size: int, grouped: bool) -> Iterator[tuple[int, ...]]:
    """Endless batches of one stream: each pass has every row once, in an order of its own."""
    number = 0
    while True:
        rng = np.random.default_rng([*words, number])
        order = rng.permutation(len(lengths))
        batches = [
            batch
            for pool in chunks(order, batch_size * POOL)
            for batch in sorted_batches(pool, lengths, batch_size, grouped)
        ]
        full = [batch for batch in batches if len(batch) == batch_size]
        rest = [batch for batch in batches if len(batch) < batch_size]
        for index in rng.permutation(len(full)) if grouped else range(len(full)):
            yield tuple(full[index].tolist())
        for batch in rest:
            yield tuple(batch.tolist())
        number += 1


def sorted_batches(pool: np.ndarray, lengths: np.ndarray, batch_size: int, grouped: bool) -> list[np.ndarray]:
    """Cut a pool of rows into batches, after sorting by length where grouped."""
    if grouped:
        pool = pool[np.argsort(lengths[pool], kind="stable")]
    return chunks(pool, batch_size)


def chunks(rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Consecutive pieces of at most `size`."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
