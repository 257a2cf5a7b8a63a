"""Texts as sets of shingles: runs of characters or words of their normalised form, which two alike texts share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from runner.parts.cleaners._normal import Normal, normal

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Unit = Literal["characters", "words"]
CHUNK = 1 << 15  # units that are hashed at once, few enough to stay in the cache of a core
SHIFTS = {32: (16, 13, 16), 64: (33, 33, 33)}
FACTORS = {32: (0x85EBCA6B, 0xC2B2AE35), 64: (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)}


class Shingled(NamedTuple):
    """Some texts of a batch, the hashes of their shingles in one array, and how many belong to each text."""

    normal: Normal
    hashes: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True)
class Shingles:
    """Runs of so many characters or words; a shorter text is one shingle."""

    unit: Unit = "characters"
    size: int = 5

    def of(self, texts: pa.Array, bits: int = 64) -> Iterator[Shingled]:
        """The shingles of all texts, in at most two parts; hashes have 32 or 64 bits."""
        for part in normal(texts, self.size):
            units, lengths = (part.codes, part.lengths) if self.unit == "characters" else self.words(part.texts)
            yield Shingled(part, self.hashes(units, lengths, bits), (lengths - self.size + 1).clip(1))

    def hashes(self, units: np.ndarray, lengths: np.ndarray, bits: int) -> np.ndarray:
        """The hash of a shingle is a weighted sum of its units, which is then mixed.

        It is taken from every unit on; those that begin and end within a text, or begin a short one, are kept.
        """
        import numpy as np

        count = len(units) - self.size + 1
        begins = (units[:count] != 0) & (units[self.size - 1 :] != 0)
        starts = np.cumsum(lengths + self.size) - lengths - self.size
        begins[starts[lengths < self.size]] = True
        weights = weights_of(self.size, bits)
        if units.dtype.itemsize * 8 > bits:
            units = (units >> np.uint64(64 - bits)).astype(weights.dtype)
        found = np.empty(np.count_nonzero(begins), weights.dtype)
        done = 0
        for start in range(0, count, CHUNK):
            end = min(start + CHUNK, count)
            sums = units[start:end] * weights[0]
            for place in range(1, self.size):
                sums += units[start + place : end + place] * weights[place]
            kept = mixed(sums[begins[start:end]])
            found[done : done + len(kept)] = kept
            done += len(kept)
        return found

    def words(self, texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Hashes of the words of all texts, each text padded with zeros, and how many each has."""
        import numpy as np

        pad = [""] * self.size
        each = [text.decode().split() for text in texts]
        flat = [word for words in each for word in words + pad]
        codes = {word: hashlib.blake2b(word.encode(), digest_size=8).digest() for word in set(flat)} | {"": bytes(8)}
        units = np.frombuffer(b"".join(map(codes.__getitem__, flat)), np.uint64)
        return units, np.fromiter(map(len, each), np.int64, len(each))


@cache
def weights_of(size: int, bits: int) -> np.ndarray:
    """Odd random numbers of so many bits."""
    import numpy as np

    draw = np.random.RandomState(5).randint(0, 2**63, size, np.uint64) >> np.uint64(63 - bits + 1)
    weights: np.ndarray = (draw << np.uint64(1) | np.uint64(1)).astype(f"uint{bits}")
    return weights


def mixed(values: np.ndarray) -> np.ndarray:
    """Each of 32 or 64 bits spread over all, in place, by the finisher of MurmurHash3."""
    bits = values.dtype.itemsize * 8
    first, second, last = map(values.dtype.type, SHIFTS[bits])
    for shift, factor in zip((first, second), FACTORS[bits], strict=True):
        values ^= values >> shift
        values *= values.dtype.type(factor)
    values ^= values >> last
    return values
