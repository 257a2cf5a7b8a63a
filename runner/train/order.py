"""Order: which rows of which stream make each batch, a pure function of (seed, epoch)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from runner.kinds import Part
from runner.model.stream import Stream
from runner.parts.mixing._mixes import mixes

POOL = 50  # batches whose rows are sorted by length together


Piece = tuple[str, tuple[int, ...]]  # a stream and some of its rows


@dataclass(frozen=True)
class Draw:
    """One batch to be: its stream, its rows, and the factor of the sum of each task's losses in that of its step.

    A mixed batch holds rows of other streams `beside` them. Tasks `beyond` it are those of the batches that other
    processes compute meanwhile.
    """

    stream: str
    rows: tuple[int, ...]
    shares: Mapping[str, float]
    beside: tuple[Piece, ...] = ()
    beyond: tuple[str, ...] = ()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All its rows by stream."""
        return ((self.stream, self.rows), *self.beside)


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
    make = mixed if mixes(mixing) else separate
    batches = make(streams, mixing, (seed, epoch), batch_size, grouped)
    found = []
    for start in range(0, len(batches), accumulate):
        step = batches[start : start + accumulate]
        shares = shares_of([piece for batch in step for piece in batch], streams, (seed, epoch))
        for batch in step:
            tasks = dict.fromkeys(task for name, _ in batch for task in streams[name].tasks)
            found.append(Draw(*batch[0], {task: shares[task] for task in tasks}, batch[1:]))
    return found


def separate(
    streams: Mapping[str, Stream], mixing: Part, words: tuple[int, int], batch_size: int, grouped: bool
) -> list[tuple[Piece, ...]]:
    """Batches of one stream each, in turns."""
    counts = {name: -(-len(stream) // batch_size) for name, stream in streams.items()}
    queues = {
        name: passes(streams[name].lengths, (*words, index), batch_size, grouped) for index, name in enumerate(counts)
    }
    parts = parts_of({name: len(stream) for name, stream in streams.items()}, mixing, batch_size)
    order = turns(counts, mixing, np.random.default_rng([*words, 2**20]), parts)
    return [((name, next(queues[name])),) for name in order]


def mixed(
    streams: Mapping[str, Stream], mixing: Part, words: tuple[int, int], batch_size: int, grouped: bool
) -> list[tuple[Piece, ...]]:
    """Batches of rows of all streams: each has the share of a stream within one row, as far as its rows go."""
    counts = {name: len(stream) for name, stream in streams.items()}
    order = row_turns(counts, mixing, np.random.default_rng([*words, 2**20]))
    share = {name: order.count(name) / len(order) for name in counts}
    queues = {
        name: rows_of(streams[name].lengths, (*words, index), max(round(batch_size * share[name]), 1), grouped)
        for index, name in enumerate(counts)
    }
    found = []
    for start in range(0, len(order), batch_size):
        names = Counter(order[start : start + batch_size])
        found.append(tuple((name, tuple(islice(queues[name], names[name]))) for name in counts if names[name]))
    return found


def rows_of(lengths: np.ndarray, words: tuple[int, ...], size: int, grouped: bool) -> Iterator[int]:
    """Endless rows of one stream, about `size` neighbours of similar length where grouped."""
    return (row for batch in passes(lengths, words, size, grouped) for row in batch)


def parts_of(rows: Mapping[str, int], mixing: Part, unit: int) -> dict[str, float]:
    """Each stream's share of an epoch: that of its data set, divided among the streams of that set by their size."""
    counted = getattr(mixing, "counted", int)
    sizes = {name: -(-counted(count) // unit) for name, count in rows.items()}
    whole: dict[str, int] = {}
    for name, size in sizes.items():
        whole[data_of(name)] = whole.get(data_of(name), 0) + size
    shares = mixing.shares(whole)  # type: ignore[attr-defined]
    return {name: shares[data_of(name)] * size / whole[data_of(name)] for name, size in sizes.items()}


def data_of(stream: str) -> str:
    """The data set of a stream."""
    return stream.partition(":")[0]


def shares_of(step: Sequence[Piece], streams: Mapping[str, Stream], words: tuple[int, ...] = ()) -> dict[str, float]:
    """Each task's share of the examples of one optimizer step, divided by its labelled units there."""
    rows: dict[str, int] = {}
    units: dict[str, int] = {}
    for name, drawn in step:
        for task in streams[name].tasks:
            rows[task] = rows.get(task, 0) + len(drawn)
            units[task] = units.get(task, 0) + streams[name].units(task, drawn, words)
    whole = sum(len(drawn) for _, drawn in step)
    return {task: rows[task] / whole / max(units[task], 1) for task in rows}


def turns(counts: Mapping[str, int], mixing: Part, rng: np.random.Generator, parts: Mapping[str, float]) -> list[str]:
    """The stream of each batch of an epoch; an epoch has as many batches as all streams together."""
    names, total = list(counts), sum(counts.values())
    if getattr(mixing, "ordered", False):
        return [names[index % len(names)] for index in range(total)]
    return [names[index] for index in rng.permutation(np.repeat(np.arange(len(names)), quotas(parts, total)))]


def row_turns(counts: Mapping[str, int], mixing: Part, rng: np.random.Generator) -> list[str]:
    """The stream of each row of an epoch of mixed batches, spread evenly; as many rows as all streams together."""
    names, total = list(counts), sum(counts.values())
    if getattr(mixing, "ordered", False):
        return [names[index % len(names)] for index in range(total)]
    whole = quotas(parts_of(counts, mixing, 1), total)
    places = np.concatenate([(np.arange(count) + rng.random(count)) / max(count, 1) for count in whole])
    owners = np.repeat(np.arange(len(names)), whole)
    return [names[index] for index in owners[np.argsort(places, kind="stable")]]


def quotas(parts: Mapping[str, float], total: int) -> np.ndarray:
    """Whole numbers that sum to `total`, each within one of its part of it."""
    exact = np.array([part * total for part in parts.values()])
    whole: np.ndarray = np.floor(exact + 1e-9).astype(int)
    for index in np.argsort(whole - exact, kind="stable")[: total - whole.sum()]:
        whole[index] += 1
    return whole


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
