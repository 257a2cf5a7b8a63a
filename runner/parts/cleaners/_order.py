"""Rows in the order of their ids, which decides what stays of those that are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PREFIX = 7  # bytes of ids that are compared at once


def by_id(table: pa.Table) -> np.ndarray:
    """The positions of the rows in the order of their ids.

    Of all ids a few bytes are held at a time: to sort them where they lie would read a large file again and again.
    """
    import numpy as np

    order = np.arange(table.num_rows, dtype=np.int32)
    tied, start, left = np.ones(table.num_rows, bool), 0, True
    group = np.zeros(table.num_rows, np.int32)
    while left and tied.any():
        places = np.flatnonzero(tied)
        keys, left = leading(table["id"], start)
        keys, groups = keys[order[places]], group[places]
        sorting = np.lexsort((keys, groups)) if start else np.argsort(keys)
        order[places] = order[places][sorting]
        keys, groups = keys[sorting], groups[sorting]
        begins = np.ones(len(places), bool)
        begins[1:] = (keys[1:] != keys[:-1]) | (groups[1:] != groups[:-1])
        group[places] = np.cumsum(begins)
        tied[places] = ~(begins & np.append(begins[1:], True))
        start += PREFIX
    return order


def leading(ids: pa.ChunkedArray, start: int) -> tuple[np.ndarray, bool]:
    """Of each id the bytes from `start` on and how many there are, as a number; whether any id has more."""
    import numpy as np

    found, end, most = np.zeros((len(ids), PREFIX + 1), np.uint8), 0, 0
    for chunk in ids.chunks:
        end += len(chunk)
        offsets = np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
        data = np.frombuffer(chunk.buffers()[2] or b"", np.uint8)
        rows = found[end - len(chunk) : end]
        left = offsets[1:] - offsets[:-1] - start
        for place in range(PREFIX):
            there = np.flatnonzero(left > place)
            rows[there, place] = data[offsets[there] + (start + place)]
        rows[:, PREFIX] = left.clip(0, PREFIX)
        most = max(most, int(left.max(initial=0)))
    return found.view(">u8").ravel().astype(np.uint64), most > PREFIX
