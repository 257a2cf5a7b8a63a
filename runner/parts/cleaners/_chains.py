"""Rows that wait for one another in long chains, as overlapping pieces of a text do: decided in their order, in blocks.

By rounds a chain takes as many of them as it has links. A block has as many rows as there is room for their pairs; they
are gone through one by one, then all later rows are compared with those of the block that stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from runner.parts.slices import cuts

if TYPE_CHECKING:
    import numpy as np

PAIRS = 1 << 18  # that are looked at together
BLOCK = 1 << 13  # rows of the first block
LOW = 2**32 - 1


class Band(Protocol):
    """The undecided rows that share a key with others: `key << 32 | row`, sorted."""

    def read(self) -> np.ndarray: ...


def in_order(
    bands: Sequence[Band], still: np.ndarray, threshold: float, alike: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Iterator[np.ndarray]:
    """Undecided rows, each before 32 bits of a row that stays, until no row is undecided.

    `still` are the undecided rows; before it goes on, the caller takes those out that turn out to be alike.
    """
    import numpy as np

    size = BLOCK
    while still.any():
        block = np.zeros(len(still), bool)
        block[np.flatnonzero(still)[:size]] = True
        inside = within(bands, block)
        if inside is None:
            size //= 2
            continue
        yield one_by_one(inside, threshold, alike)
        stay = block & still
        still &= ~block
        for pairs in across(bands, stay, still):
            yield pairs[still[pairs >> np.uint64(32)]]
        size *= 2


def within(bands: Sequence[Band], block: np.ndarray) -> np.ndarray | None:
    """The pairs of a block, each once, the later row first; None where they are too many."""
    import numpy as np

    pairs = np.empty(0, np.uint64)
    for band in bands:
        entries = band.read()
        entries = entries[block[entries & np.uint64(LOW)]]
        found, gap = [pairs], 1
        while gap < len(entries):
            same = (entries[gap:] ^ entries[:-gap]) <= LOW
            if not same.any():
                break
            found.append(entries[gap:][same] << np.uint64(32) | entries[:-gap][same] & np.uint64(LOW))
            if sum(map(len, found)) > 2 * PAIRS:
                return None
            gap += 1
        pairs = np.unique(np.concatenate(found))
    return pairs if len(pairs) <= PAIRS else None


def one_by_one(
    pairs: np.ndarray, threshold: float, alike: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Of sorted pairs those of rows that go with the rows that stay and that they are like."""
    import numpy as np

    later, earlier = (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(LOW)).astype(np.int64)
    near = alike(later, earlier) >= threshold
    pairs, gone, chosen = pairs[near], set(), []
    for row, other in zip(later[near].tolist(), earlier[near].tolist(), strict=True):
        chosen.append(other not in gone)
        if chosen[-1]:
            gone.add(row)
    found: np.ndarray = pairs[np.array(chosen, bool)]
    return found


def across(bands: Sequence[Band], stay: np.ndarray, later: np.ndarray) -> Iterator[np.ndarray]:
    """The pairs of later rows with those of a block that stay."""
    import numpy as np

    waiting: list[np.ndarray] = []
    for band in bands:
        entries = band.read()
        rows = (entries & np.uint64(LOW)).astype(np.int64)
        entries, rows = (each[stay[rows] | later[rows]] for each in (entries, rows))
        leads = stay[rows]
        leaders, before = rows[leads], np.append(0, np.cumsum(leads))
        starts = before[np.searchsorted(entries, entries & ~np.uint64(LOW))]  # of its bucket
        counts = np.where(leads, 0, before[1:] - starts)
        for cut in cuts(counts, PAIRS, PAIRS):
            several = counts[cut]
            places = np.arange(several.sum()) + np.repeat(starts[cut] - np.cumsum(several) + several, several)
            waiting.append(
                np.repeat(rows[cut], several).astype(np.uint64) << np.uint64(32) | leaders[places].astype(np.uint64)
            )
            if sum(map(len, waiting)) > PAIRS:
                yield np.unique(np.concatenate(waiting))
                waiting = []
    if waiting:
        yield np.unique(np.concatenate(waiting))
