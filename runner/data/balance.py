"""The stage `balance`: which training rows are learned from, and how often; by hash, so that order changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from runner.data.account import Tally, keep
from runner.data.identify import contents, keys, repeats
from runner.data.tables import at, cuts, mapped, sizes, write
from runner.spec.tables import Cap, Data

if TYPE_CHECKING:
    import pyarrow as pa


def balance(train: Path, data: Data, by: Sequence[str], entry: Path) -> None:
    """Write the rows of train that are learned from; those that repeat come last, with ids that end with `+1` etc.

    The values of the columns `by` are the classes; without one all rows are of the same.
    """
    table = mapped(train)
    began = time.perf_counter()
    classes = np.unique(contents(table, by), return_inverse=True)[1] if by else np.zeros(table.num_rows, np.int64)
    chosen = np.arange(table.num_rows)
    tallies = []
    if data.sample is not None:
        chosen = sampled(table["id"], classes, data.sample)
        tallies.append(Tally("balance", "sample", "train", table.num_rows))
        tallies[-1].dropped = {"not in the sample": table.num_rows - len(chosen)}
    again = np.empty(0, np.int64)
    if isinstance(data.balance, Cap) or data.balance in ("undersample", "oversample"):
        name = data.balance if isinstance(data.balance, str) else "cap"
        tallies.append(Tally("balance", name, "train", len(chosen)))
        before = len(chosen)
        order = ranked(table["id"], b"balance:")
        counts = np.bincount(classes[chosen])
        if name == "oversample":
            again = repeated(chosen, classes, order, int(counts.max()))
            tallies[-1].made = len(again)
        else:
            most = data.balance.cap if isinstance(data.balance, Cap) else int(counts[counts > 0].min())
            chosen = fewer(chosen, classes, order, most)
            tallies[-1].dropped = {"its class has enough rows": before - len(chosen)}
    write(entry / "train.arrow", batches(table, chosen, again))
    for tally in tallies:
        tally.dropped = {reason: count for reason, count in tally.dropped.items() if count}
        tally.seconds = (time.perf_counter() - began) / len(tallies)
    keep(entry, tallies)


def ranked(ids: pa.ChunkedArray, salt: bytes) -> np.ndarray:
    """The place of each row when all are ordered by the hash of their ids."""
    place = np.empty(len(ids), np.int64)
    place[np.argsort(keys(ids, salt), kind="stable")] = np.arange(len(ids))
    return place


def within(rows: np.ndarray, classes: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows sorted by class and then by hash, and each one's rank in its class."""
    ordered = rows[np.lexsort((order[rows], classes[rows]))]
    starts = np.r_[True, classes[ordered][1:] != classes[ordered][:-1]]
    place = np.arange(len(ordered))
    return ordered, place - np.maximum.accumulate(np.where(starts, place, 0))


def sampled(ids: pa.ChunkedArray, classes: np.ndarray, sample: int | float) -> np.ndarray:
    """Positions of the sample, ascending. Every class gives its share, and smaller samples are parts of larger ones.

    A row of rank r in a class of n rows comes at (r + 1/2) / n; the sample is the beginning of that order.
    """
    count = sample if isinstance(sample, int) else max(1, round(sample * len(classes)))
    order = ranked(ids, b"sample:")
    ordered, rank = within(np.arange(len(classes)), classes, order)
    at = (rank + 0.5) / np.bincount(classes)[classes[ordered]]
    return np.sort(ordered[np.lexsort((order[ordered], at))][:count])


def fewer(rows: np.ndarray, classes: np.ndarray, order: np.ndarray, most: int) -> np.ndarray:
    """At most so many rows of each class, those of smallest hash."""
    ordered, rank = within(rows, classes, order)
    return np.sort(ordered[rank < most])


def repeated(rows: np.ndarray, classes: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """Rows to add so that each class has `count`: all of it in turn, by hash."""
    ordered, _ = within(rows, classes, order)
    parts = []
    for group in np.split(ordered, np.flatnonzero(np.diff(classes[ordered])) + 1):
        parts.append(np.resize(group, count)[len(group) :])
    return np.concatenate(parts)


def batches(table: pa.Table, chosen: np.ndarray, again: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The chosen rows, then the repeats under ids of their own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    yield pa.RecordBatch.from_pylist([], table.schema)
    bytes_ = sizes(table)
    for cut in cuts(bytes_[chosen]):
        yield from at(table, chosen[cut]).to_batches()
    mark = "+"
    while again.size and pc.any(pc.match_substring(table["id"], mark)).as_py():  # ids of the author's may hold it
        mark += "+"
    number = repeats(again.astype(np.uint64)) + 1 if len(again) else again
    for cut in cuts(bytes_[again]):
        part = at(table, again[cut])
        copies = number[cut].tolist()
        ids = [f"{id}{mark}{copy}" for id, copy in zip(part["id"].to_pylist(), copies, strict=True)]
        yield from part.set_column(0, "id", pa.array(ids, pa.string())).combine_chunks().to_batches()
