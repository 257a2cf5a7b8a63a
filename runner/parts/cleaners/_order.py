"""Rows in the order of their ids, which decides what stays of those that are alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from runner.parts.cleaners._entries import MANY, begins_of, entries_of, rows_of, spans

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PREFIX = 4  # bytes of ids that are compared at once


def by_id(table: pa.Table) -> np.ndarray:
    """The positions of the rows in the order of their ids.

    Of all ids a few bytes are held at a time: to sort them where they lie would read a large file again and again.
    """
    import numpy as np

    order = np.arange(table.num_rows, dtype=np.int32)
    begins = np.arange(table.num_rows) == 0  # where the bytes so far are others than before
    start, left = 0, True
    while left and not begins.all():
        keys, left = leading(table["id"], start)
        refine(order, begins, keys)
        start += PREFIX
    if not begins.all():
        refine(order, begins, lengths(table["id"]))
    return order


def refine(order: np.ndarray, begins: np.ndarray, keys: np.ndarray) -> None:
    """Sort the rows of each group by their keys, and note where they differ."""
    for group in groups(begins):
        if not begins[group][1:].any():
            refine_one(order[group], begins[group], keys)
        elif not begins[group].all():
            refine_several(order[group], begins[group], keys)


def refine_one(order: np.ndarray, begins: np.ndarray, keys: np.ndarray) -> None:
    """The same for one group, of any size."""
    entries, rows = entries_of(keys[order]), order.copy()
    for here in spans(len(order)):
        order[here] = rows[rows_of(entries[here])]
    begins |= begins_of(entries)


def refine_several(order: np.ndarray, begins: np.ndarray, keys: np.ndarray) -> None:
    """The same for groups that are few rows together."""
    import numpy as np

    places = np.flatnonzero(~(begins & np.append(begins[1:], True)))
    rows = order[places]
    tagged = np.cumsum(begins[places]).astype(np.uint64) << np.uint64(32) | keys[rows]
    sorting = np.argsort(tagged, kind="stable")
    order[places], tagged = rows[sorting], tagged[sorting]
    begins[places[1:]] |= tagged[1:] != tagged[:-1]


def groups(begins: np.ndarray) -> Iterator[slice]:
    """Whole groups, at most `MANY` rows at a time, or one group."""
    import numpy as np

    start = 0
    while start < len(begins):
        end = start + MANY
        if end < len(begins):
            within = np.flatnonzero(begins[start + 1 : end + 1])
            ahead = begins[end:]
            end += int(ahead.argmax()) if ahead.any() else len(ahead)
            end = start + 1 + int(within[-1]) if len(within) else end
        yield slice(start, min(end, len(begins)))
        start = end


def leading(ids: pa.ChunkedArray, start: int) -> tuple[np.ndarray, bool]:
    """Of each id the bytes from `start` on as a number, 0 where it has no more; whether any id has even more."""
    import numpy as np

    found, end, most = np.zeros(len(ids), np.uint32), 0, 0
    for chunk in ids.chunks:
        end += len(chunk)
        offsets = offsets_of(chunk)
        data = np.frombuffer(chunk.buffers()[2] or b"", np.uint8)
        left = offsets[1:] - offsets[:-1] - start
        for place in range(PREFIX):
            there = np.flatnonzero(left > place)
            bytes_ = data[offsets[there] + (start + place)].astype(np.uint32)
            found[end - len(chunk) : end][there] |= bytes_ << np.uint32(8 * (PREFIX - 1 - place))
        most = max(most, int(left.max(initial=0)))
    return found, most > PREFIX


def lengths(ids: pa.ChunkedArray) -> np.ndarray:
    """The bytes of each id, which tell those apart that end with zeros."""
    import numpy as np

    return np.concatenate([np.diff(offsets_of(chunk)).astype(np.uint32) for chunk in ids.chunks])


def offsets_of(chunk: pa.Array) -> np.ndarray:
    """Where each text of a chunk begins in its data, and the last ends."""
    import numpy as np

    offsets: np.ndarray = np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return offsets
