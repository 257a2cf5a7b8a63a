"""Rows by their keys: sorted numbers `key << 32 | row`, 8 bytes each, that are gone through block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MANY = 1 << 18  # rows or pairs that are looked at together


def entries_of(keys: np.ndarray, shift: int = 0) -> np.ndarray:
    """`key << 32 | row`, sorted; a key is what stands before the last `shift` bits."""
    import numpy as np

    entries = np.empty(len(keys), np.uint64)
    for here in spans(len(keys)):
        entries[here] = keys[here] >> keys.dtype.type(shift)
        entries[here] <<= np.uint64(32)
        entries[here] |= np.arange(here.start, here.stop, dtype=np.uint64)
    entries.sort()
    return entries


def spans(count: int) -> Iterator[slice]:
    """So many rows, `MANY` at a time."""
    for start in range(0, count, MANY):
        yield slice(start, min(start + MANY, count))


def blocks(entries: np.ndarray) -> Iterator[np.ndarray]:
    """Sorted entries, at most `MANY` at a time or those of one bucket: none is cut."""
    import numpy as np

    start = 0
    while start < len(entries):
        end = min(start + MANY, len(entries))
        if end < len(entries):
            least = entries[end] >> np.uint64(32) << np.uint64(32)
            begin = int(np.searchsorted(entries, least))
            after = int(np.searchsorted(entries, least | np.uint64(2**32 - 1), "right"))
            end = begin if begin > start else after
        yield entries[start:end]
        start = end


def rows_of(entries: np.ndarray) -> np.ndarray:
    """The last 32 bits."""
    import numpy as np

    return entries.astype(np.uint32).astype(np.int64)


def begins_of(entries: np.ndarray) -> np.ndarray:
    """Which entries begin a bucket."""
    import numpy as np

    begins = np.ones(len(entries), bool)
    for start in range(1, len(entries), MANY):
        here = entries[start - 1 : start + MANY]
        begins[start : start + MANY] = (here[1:] ^ here[:-1]) >> np.uint64(32) != 0
    return begins


def together(entries: np.ndarray) -> np.ndarray:
    """The entries that aren't alone in their bucket."""
    import numpy as np

    begins = begins_of(entries)
    alone = begins & np.append(begins[1:], True) if len(entries) else begins
    shared: np.ndarray = entries[~alone]
    return shared
