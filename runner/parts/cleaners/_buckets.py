"""The greedy choice: rows in order, each kept unless it is like a row that was kept before, without a list of pairs.

A bucket holds the rows that share a key in a band; only rows of one bucket are compared. In each round the rows that
come first in all their buckets are kept, what is like them in these buckets goes, and both leave the buckets. That
finds the very rows that going through them one by one would find, but reads one band after the other. What is left
after some rounds are chains, which `_chains` goes through one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from runner.parts.cleaners._chains import in_order

if TYPE_CHECKING:
    import numpy as np

Alike = Callable[["np.ndarray", "np.ndarray"], "np.ndarray"]
SMALL = 1 << 17  # entries; fewer stay in memory
MANY = 1 << 18  # pairs; more aren't gathered from several bands
ROUNDS = 8  # more are only taken by chains of rows, each of which waits for the one before it


class Buckets:
    """Of one band, the rows that share a key with others: `key << 32 | row`, sorted, in a file unless they are few."""

    def __init__(self, path: Path, keys: np.ndarray) -> None:
        self.path = path
        self.write(entries_of(keys))

    def write(self, entries: np.ndarray) -> None:
        """Keep those that aren't alone in their bucket."""
        entries = together(entries)
        self.held = entries if len(entries) < SMALL else None
        if self.held is None:
            self.path.write_bytes(entries.data)  # numpy's own `tofile` may not notice a full disk

    def read(self) -> np.ndarray:
        """The entries."""
        import numpy as np

        return np.fromfile(self.path, np.uint64) if self.held is None else self.held

    def narrow(self, still: np.ndarray) -> np.ndarray:
        """Forget the rows that are decided; which rows have another before them in their bucket."""
        entries = self.read()
        self.write(entries[still[rows_of(entries)]])
        entries = self.read()
        return rows_of(entries[~begins_of(entries)])

    def pairs(self, fresh: np.ndarray, still: np.ndarray) -> np.ndarray:
        """Each undecided row, before 32 bits of the first row of its bucket, where that was just kept."""
        import numpy as np

        entries = self.read()
        begins = begins_of(entries)
        rows = rows_of(entries)
        leaders = rows[begins][np.cumsum(begins) - 1]
        chosen = fresh[leaders] & still[rows]
        pairs: np.ndarray = rows[chosen].astype(np.uint64) << np.uint64(32) | leaders[chosen].astype(np.uint64)
        return pairs


def entries_of(keys: np.ndarray) -> np.ndarray:
    """`key << 32 | row`, sorted."""
    import numpy as np

    entries = keys.astype(np.uint64)
    entries <<= np.uint64(32)
    entries |= np.arange(len(keys), dtype=np.uint32)
    entries.sort()
    return entries


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


def banded(keys: Iterable[np.ndarray], folder: Path) -> list[Buckets]:
    """The buckets of each band; `keys` yields those of all rows, band by band."""
    return [Buckets(folder / f"band-{number}", each) for number, each in enumerate(keys)]


def greedy(bands: list[Buckets], rows: int, threshold: float, alike: Alike) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the kept row that it is like, or -1, and how like."""
    import numpy as np

    twins, similarities = np.full(rows, -1, np.int32), np.zeros(rows)
    still = np.ones(rows, bool)
    for number in count():
        if not still.any():
            break
        blocked = np.zeros(rows, bool)
        for band in bands:
            blocked[band.narrow(still)] = True
        if number == ROUNDS:
            for pairs in in_order(bands, still, threshold, alike):
                decide(pairs, threshold, alike, twins, similarities)
                still &= twins < 0
            break
        fresh = still & ~blocked
        still = blocked
        waiting: list[np.ndarray] = []
        for band in bands:
            waiting.append(band.pairs(fresh, still))
            if band is bands[-1] or sum(map(len, waiting)) > MANY:
                decide(np.unique(np.concatenate(waiting)), threshold, alike, twins, similarities)
                still &= twins < 0
                waiting = []
    return twins, similarities


def decide(pairs: np.ndarray, threshold: float, alike: Alike, twins: np.ndarray, similarities: np.ndarray) -> None:
    """Give the rows of pairs that are alike their twin: the one that they are most like, the first of several."""
    import numpy as np

    rows, leaders = (pairs >> np.uint64(32)).astype(np.int64), rows_of(pairs)
    found = alike(rows, leaders)
    order = np.lexsort((leaders, -found))
    order = order[found[order] >= threshold]
    rows, first = np.unique(rows[order], return_index=True)
    twins[rows], similarities[rows] = leaders[order][first], found[order][first]
