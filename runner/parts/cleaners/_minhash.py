"""MinHash signatures of sets of shingles, and bands of them: texts that share a band may be alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

PERMUTATIONS = 128
RECALL = 0.98  # of pairs that are just at the threshold; those above it are found more surely
PIECE = 512  # shingles; longer texts are signed piece by piece
BLOCK = 512  # pieces that are signed at once, few enough to stay in the cache of a core


@dataclass(frozen=True)
class Bands:
    """So many bands of so many values of a signature."""

    count: int
    rows: int

    def found(self, similarity: float) -> float:
        """The probability that two sets of this similarity share a band."""
        return 1.0 - (1.0 - similarity**self.rows) ** self.count


def bands_for(threshold: float) -> Bands:
    """The longest bands, which have the fewest false candidates, that find pairs at the threshold."""
    shapes = (Bands(PERMUTATIONS // rows, rows) for rows in range(PERMUTATIONS, 0, -1))
    return next(shape for shape in shapes if shape.found(threshold) >= RECALL or shape.rows == 1)


def signatures(hashes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """A row of minima a set, of flat 64-bit hashes of which so many belong to each set."""
    import numpy as np

    hashes = (hashes >> np.uint64(32)).astype(np.uint32)
    pieces = -(-counts // PIECE)
    firsts = np.cumsum(pieces) - pieces
    nth = np.arange(pieces.sum()) - np.repeat(firsts, pieces)
    starts = np.repeat(np.cumsum(counts) - counts, pieces) + nth * PIECE
    lengths = np.minimum(PIECE, np.repeat(counts, pieces) - nth * PIECE)
    minima = np.empty((len(starts), PERMUTATIONS), np.uint32)
    order = np.argsort(lengths, kind="stable")
    for chosen in (order[start : start + BLOCK] for start in range(0, len(order), BLOCK)):
        minima[chosen] = block(hashes, starts[chosen], lengths[chosen]).T
    return minima if len(minima) == len(counts) else np.minimum.reduceat(minima, firsts, axis=0)


def block(hashes: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The minima of pieces of nearly one length, a row a permutation; the last hash of the shorter ones repeats.

    Odd factors permute the 32-bit numbers; since the hashes are well mixed, estimates scatter as those of random
    permutations do, and no shift is needed.
    """
    import numpy as np

    factors = np.random.RandomState(7).randint(0, 2**32, PERMUTATIONS, np.uint32) | np.uint32(1)
    values = hashes[starts + np.minimum(np.arange(lengths[-1])[:, None], lengths - 1)]
    minima = np.empty((PERMUTATIONS, len(starts)), np.uint32)
    permuted = np.empty_like(values)
    for row, factor in zip(minima, factors, strict=True):
        np.multiply(values, factor, out=permuted).min(axis=0, out=row)
    return minima


def keys(minima: np.ndarray, bands: Bands) -> np.ndarray:
    """A row of 32-bit keys a band: sets whose values in a band are the same have the same key there."""
    import numpy as np

    draw = np.random.RandomState(11)
    values = minima[:, : bands.count * bands.rows].reshape(len(minima), bands.count, bands.rows).astype(np.uint64)
    factors = draw.randint(0, 2**63, bands.rows, np.uint64) << np.uint64(1) | np.uint64(1)
    mixed = np.zeros(values.shape[:2], np.uint64)
    for place, factor in enumerate(factors):
        mixed = (mixed ^ values[:, :, place]) * factor
        mixed ^= mixed >> np.uint64(32)
    return np.ascontiguousarray(mixed.T.astype(np.uint32))
