"""The stage `balance`: which training rows are learned from, and how often; by hash, so that order changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from runner.data.account import Tally, keep
from runner.data.identify import classes as classes_of
from runner.data.identify import keys
from runner.data.tables import at, cuts, mapped, sizes, write
from runner.parts.cleaners._entries import entries_of, rows_of, spans
from runner.spec.tables import Cap, Data

if TYPE_CHECKING:
    import pyarrow as pa


def balance(train: Path, data: Data, by: Sequence[str], entry: Path) -> None:
    """Write the rows of train that are learned from; those that repeat come last, with ids that end with `+1` etc.

    The values of the columns `by` are the classes; without one all rows are of the same.
    """
    table = mapped(train)
    began = time.perf_counter()
    classes = classes_of(table, by) if by else np.zeros(table.num_rows, np.uint32)
    chosen = np.arange(table.num_rows, dtype=np.int32)
    tallies = []
    if data.sample is not None:
        chosen = sampled(table["id"], classes, data.sample)
        tallies.append(Tally("balance", "sample", "train", table.num_rows))
        tallies[-1].dropped = {"not in the sample": table.num_rows - len(chosen)}
    again = number = np.empty(0, np.int32)
    if isinstance(data.balance, Cap) or data.balance in ("undersample", "oversample"):
        name = data.balance if isinstance(data.balance, str) else "cap"
        tallies.append(Tally("balance", name, "train", len(chosen)))
        before = len(chosen)
        order = by_hash(table["id"], b"balance:")
        counts = np.bincount(classes[chosen])
        if name == "oversample":
            again, number = repeated(chosen, classes, order, int(counts.max()))
            tallies[-1].made = len(again)
        else:
            most = data.balance.cap if isinstance(data.balance, Cap) else int(counts[counts > 0].min())
            chosen = fewer(chosen, classes, order, most)
            tallies[-1].dropped = {"its class has enough rows": before - len(chosen)}
        del order
    del classes
    write(entry / "train.arrow", batches(table, chosen, again, number))
    for tally in tallies:
        tally.dropped = {reason: count for reason, count in tally.dropped.items() if count}
        tally.seconds = (time.perf_counter() - began) / len(tallies)
    keep(entry, tallies)


def by_hash(ids: pa.ChunkedArray, salt: bytes) -> np.ndarray:
    """The rows in the order of the hashes of their ids."""
    return np.argsort(keys(ids, salt), kind="stable").astype(np.int32)


def by_class(classes: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of `order` class by class, and where each class begins and the last ends."""
    entries = entries_of(classes[order])
    for here in spans(len(entries)):
        entries[here] = order[rows_of(entries[here])]
    counts = np.bincount(classes[order])
    return entries.astype(np.int32), np.append(0, np.cumsum(counts))


def sampled(ids: pa.ChunkedArray, classes: np.ndarray, sample: int | float) -> np.ndarray:
    """Positions of the sample, ascending. Every class gives its share, and smaller samples are parts of larger ones.

    A row of rank r in a class of n rows comes at (r + 1/2) / n; the sample is the beginning of that order, where of
    rows that come at the same place those of smaller hash come first.
    """
    count = sample if isinstance(sample, int) else max(1, round(sample * len(classes)))
    order = by_hash(ids, b"sample:")
    if count >= len(order):
        return np.arange(len(order), dtype=np.int32)
    at = np.empty(len(order))
    ordered, bounds = by_class(classes, order)
    for start, end in pairwise(bounds.tolist()):
        at[ordered[start:end]] = (np.arange(end - start) + 0.5) / max(1, end - start)
    del ordered
    last = np.partition(at, count - 1)[count - 1]
    chosen = at < last
    equal = order[at[order] == last]
    chosen[equal[: count - np.count_nonzero(chosen)]] = True
    return np.flatnonzero(chosen).astype(np.int32)


def fewer(rows: np.ndarray, classes: np.ndarray, order: np.ndarray, most: int) -> np.ndarray:
    """At most so many of these rows of each class, those that come first in `order`."""
    ordered, bounds = by_class(classes, among(order, rows))
    kept = [ordered[start : min(start + most, end)] for start, end in pairwise(bounds.tolist())]
    found: np.ndarray = np.sort(np.concatenate([ordered[:0], *kept]))
    return found


def repeated(rows: np.ndarray, classes: np.ndarray, order: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to add so that each class has `count`: all of it in turn, by hash; and which repeat of its row each is."""
    ordered, bounds = by_class(classes, among(order, rows))
    groups = [ordered[start:end] for start, end in pairwise(bounds.tolist()) if start < end]
    again = np.concatenate([np.resize(group, count)[len(group) :] for group in groups])
    number = [np.arange(len(group), count, dtype=np.int32) // np.int32(len(group)) for group in groups]
    return again, np.concatenate(number)


def among(order: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """These of the rows of `order`."""
    if len(rows) == len(order):
        return order
    chosen = np.zeros(len(order), bool)
    chosen[rows] = True
    found: np.ndarray = order[chosen[order]]
    return found


def batches(table: pa.Table, chosen: np.ndarray, again: np.ndarray, number: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The chosen rows, then the repeats under ids of their own, which end with their number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    yield pa.RecordBatch.from_pylist([], table.schema)
    bytes_ = sizes(table)
    for cut in cuts(bytes_[chosen]):
        yield from at(table, chosen[cut]).to_batches()
    mark = "+"
    while again.size and pc.any(pc.match_substring(table["id"], mark)).as_py():  # ids of the author's may hold it
        mark += "+"
    for cut in cuts(bytes_[again]):
        part = at(table, again[cut])
        copies = number[cut].tolist()
        ids = [f"{id}{mark}{copy}" for id, copy in zip(part["id"].to_pylist(), copies, strict=True)]
        yield from part.set_column(0, "id", pa.array(ids, pa.string())).combine_chunks().to_batches()
