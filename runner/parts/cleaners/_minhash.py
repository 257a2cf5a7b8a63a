"""MinHash signatures of rows, and bands of them: rows that share a band may be alike.

A value of a signature is the minimum of one permutation over the shingles of one column, and the columns take turns. It
is the same in two rows with the probability of their Jaccard similarity in that column: at least the threshold, if each
column is alike. So such rows share a band at least as surely as texts of one column that are just at the threshold. A
column that differs keeps rows apart, however long the others are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

PERMUTATIONS = 128  # of each column
RECALL = 0.98  # of pairs that are just at the threshold; those above it are found more surely
CELLS = 1 << 16  # shingles that are permuted at once, few enough to stay in the cache of a core
COLUMNS = 512  # enough for a minimum over rows to be fast


@dataclass(frozen=True)
class Bands:
    """So many bands of so many values of a signature."""

    count: int
    rows: int

    def found(self, similarity: float) -> float:
        """The probability that two rows of this similarity in each column share a band."""
        return 1.0 - (1.0 - similarity**self.rows) ** self.count


def bands_for(threshold: float, columns: int = 1) -> Bands:
    """The longest bands, which have the fewest false candidates, that find pairs at the threshold in each column."""
    values = PERMUTATIONS * columns
    shapes = (Bands(values // rows, rows) for rows in range(values, 0, -1))
    return next(shape for shape in shapes if shape.found(threshold) >= RECALL or shape.rows == 1)


def keys(hashes: np.ndarray, counts: np.ndarray, bands: Bands, column: int = 0, columns: int = 1) -> np.ndarray:
    """A row of 32-bit keys a band, of flat 32-bit hashes of which so many belong to each set.

    Sets whose values in a band are the same have the same key there; the key of a row is the sum of its columns'.
    """
    import numpy as np

    places = np.arange(column, bands.count * bands.rows, columns)
    found = np.empty((bands.count, len(counts)), np.uint32)
    starts = np.cumsum(counts) - counts
    order = np.argsort(counts, kind="stable")
    permutations = factors(7, places[-1] + 1)[places]
    for chosen in blocks(order, counts):
        found[:, chosen] = folded(minima(hashes, starts[chosen], counts[chosen], permutations), places, bands)
    return found


def blocks(order: np.ndarray, counts: np.ndarray) -> Iterator[np.ndarray]:
    """Runs of sets of nearly one size, with few enough shingles, at least one set."""
    start = 0
    while start < len(order):
        end = min(len(order), start + max(1, CELLS // int(counts[order[start]])))
        while end - start > 1 and (end - start) * counts[order[end - 1]] > CELLS:
            end = start + max(1, min(end - start - 1, CELLS // int(counts[order[end - 1]])))
        yield order[start:end]
        start = end


def minima(hashes: np.ndarray, starts: np.ndarray, counts: np.ndarray, permutations: np.ndarray) -> np.ndarray:
    """The minima of sets of nearly one size, a row a permutation; the last hash of the smaller ones repeats.

    Odd factors permute the 32-bit numbers; since the hashes are well mixed, estimates scatter as those of random
    permutations do, and no shift is needed. Large sets are laid over several columns, and come piece by piece.
    """
    import numpy as np

    least, most = int(counts[0]), int(counts[-1])
    fold = min(-(-COLUMNS // len(starts)), most)
    piece = fold * max(1, CELLS // (fold * len(starts)))
    starts, lasts = starts[:, None], (starts + counts - 1)[:, None]
    found = None
    for begin in range(0, most, piece):
        deep = -(-min(piece, most - begin) // fold)
        places = starts + np.arange(begin, begin + deep * fold).reshape(deep, 1, fold)
        beyond = places[max(0, least - begin) // fold :]
        np.minimum(beyond, lasts, out=beyond)
        values = hashes.take(places.reshape(deep, -1))
        permuted, lowest = np.empty_like(values), np.empty((len(permutations), values.shape[1]), np.uint32)
        for row, factor in zip(lowest, permutations, strict=True):
            np.minimum.reduce(np.multiply(values, factor, out=permuted), axis=0, out=row)
        if fold > 1:
            lowest = lowest.reshape(len(lowest), -1, fold).min(axis=2)
        found = lowest if found is None else np.minimum(found, lowest)
    assert found is not None
    return found


def folded(minima: np.ndarray, places: np.ndarray, bands: Bands) -> np.ndarray:
    """A row of keys a band, of the values at these places of a signature."""
    import numpy as np

    found = np.zeros((bands.count, minima.shape[1]), np.uint32)
    minima *= factors(11, places[-1] + 1)[places, None]
    for band, values in zip((places // bands.rows).tolist(), minima, strict=True):
        found[band] += values
    return found


@cache
def factors(seed: int, count: int) -> np.ndarray:
    """Odd random numbers."""
    import numpy as np

    return np.random.RandomState(seed).randint(0, 2**32, count, np.uint32) | np.uint32(1)
