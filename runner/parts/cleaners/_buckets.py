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
from runner.parts.cleaners._entries import MANY, begins_of, blocks, entries_of, rows_of, spans, together

if TYPE_CHECKING:
    import numpy as np

Alike = Callable[["np.ndarray", "np.ndarray"], "np.ndarray"]
SMALL = 1 << 17  # entries; fewer stay in memory
ROUNDS = 8  # more are only taken by chains of rows, each of which waits for the one before it


class Buckets:
    """Of one band, the rows that share a key with others: `key << 32 | row`, sorted, in a file unless they are few."""

    def __init__(self, path: Path, keys: np.ndarray) -> None:
        self.path = path
        self.write(together(entries_of(keys)))

    def write(self, entries: np.ndarray) -> None:
        """Keep these, none of which is alone in its bucket."""
        self.held = entries if len(entries) < SMALL else None
        if self.held is None:
            self.path.write_bytes(entries.data)  # numpy's own `tofile` may not notice a full disk

    def read(self) -> np.ndarray:
        """The entries."""
        import numpy as np

        return np.fromfile(self.path, np.uint64) if self.held is None else self.held

    def narrow(self, still: np.ndarray, blocked: np.ndarray) -> None:
        """Forget the rows that are decided, and mark in `blocked` those that have another before them in a bucket."""
        import numpy as np

        entries = self.read()
        stays = np.empty(len(entries), bool)
        for here in spans(len(entries)):
            stays[here] = still[rows_of(entries[here])]
        if not stays.all():
            entries = together(entries[stays])
            self.write(entries)
        begins = begins_of(entries)
        for here in spans(len(entries)):
            blocked[rows_of(entries[here][~begins[here]])] = True

    def pairs(self, fresh: np.ndarray, still: np.ndarray) -> np.ndarray:
        """Each undecided row, before 32 bits of the first row of its bucket, where that was just kept."""
        import numpy as np

        entries = self.read()
        parts = [np.empty(0, np.uint64)]
        for block in blocks(entries):
            begins = begins_of(block)
            rows = rows_of(block)
            leaders = rows[begins][np.cumsum(begins) - 1]
            chosen = fresh[leaders] & still[rows]
            parts.append(rows[chosen].astype(np.uint64) << np.uint64(32) | leaders[chosen].astype(np.uint64))
        return np.concatenate(parts)


def banded(keys: Iterable[np.ndarray], folder: Path) -> list[Buckets]:
    """The buckets of each band; `keys` yields those of all rows, band by band."""
    return [Buckets(folder / f"band-{number}", each) for number, each in enumerate(keys)]


def greedy(bands: list[Buckets], rows: int, threshold: float, alike: Alike) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the kept row that it is like, or -1, and how like."""
    import numpy as np

    twins = np.full(rows, -1, np.int32)
    decided = [(np.empty(0, np.int32), np.empty(0))]
    still = np.ones(rows, bool)
    for number in count():
        if not still.any():
            break
        blocked = np.zeros(rows, bool)
        for band in bands:
            band.narrow(still, blocked)
        if number == ROUNDS:
            for pairs in in_order(bands, still, threshold, alike):
                decided.append(decide(pairs, threshold, alike, twins))
                still[decided[-1][0]] = False
            break
        fresh = still & ~blocked
        still = blocked
        waiting: list[np.ndarray] = []
        for band in bands:
            waiting.append(band.pairs(fresh, still))
            if band is bands[-1] or sum(map(len, waiting)) > MANY:
                pairs, waiting = np.unique(np.concatenate(waiting)), []
                decided.append(decide(pairs, threshold, alike, twins))
                still[decided[-1][0]] = False
    return twins, scattered(decided, rows)


def scattered(decided: list[tuple[np.ndarray, np.ndarray]], rows: int) -> np.ndarray:
    """The similarities of some rows as those of all, 0 elsewhere."""
    import numpy as np

    similarities = np.zeros(rows)
    for here, values in decided:
        similarities[here] = values
    return similarities


def decide(pairs: np.ndarray, threshold: float, alike: Alike, twins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the rows of pairs that are alike their twin: the one that they are most like, the first of several.

    Returned are these rows, and how like.
    """
    import numpy as np

    rows, leaders = (pairs >> np.uint64(32)).astype(np.int64), rows_of(pairs)
    found = alike(rows, leaders)
    order = np.lexsort((leaders, -found))
    order = order[found[order] >= threshold]
    rows, first = np.unique(rows[order], return_index=True)
    twins[rows] = leaders[order][first]
    return rows.astype(np.int32), found[order][first]
