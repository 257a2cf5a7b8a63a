"""Texts as sets of shingles: runs of characters or words of their normalised form, which two alike texts share."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Unit = Literal["characters", "words"]
NOWHERE = "\ud800"  # half of a pair of code units, which no text holds
ASCII = bytes(code if chr(code).isalnum() else 32 for code in range(128)).ljust(256)


def normalised(text: str) -> str:
    """Small letters, their marks, and digits, between single spaces; the text itself where that leaves nothing."""
    folded = text.casefold()
    if folded.isascii():
        kept = b" ".join(folded.encode().translate(ASCII).split()).decode()
    else:
        kept = " ".join(others().sub(" ", folded).split())
    return kept or " ".join(folded.split())


@cache
def others() -> re.Pattern[str]:
    """What is neither letter nor mark nor digit. Marks are the vowels of many scripts; all stand in two ranges."""
    codes = (
        code
        for code in chain(range(0x300, 0x20000), range(0xE0100, 0xE0200))
        if unicodedata.category(chr(code))[0] == "M"
    )
    runs = ([code for _, code in run] for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0]))
    marks = "".join(f"\\U{run[0]:08x}-\\U{run[-1]:08x}" for run in runs)
    return re.compile(f"(?:[^\\w{marks}]|_)+")


@dataclass(frozen=True)
class Shingles:
    """Runs of so many characters or words; a shorter text is one shingle."""

    unit: Unit = "characters"
    size: int = 5

    def of(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """64-bit hashes of the shingles of normalised texts in one array, and how many belong to each text.

        The hash of a shingle is a weighted sum of its units, taken from every unit on, also over the ends of texts;
        those at which a shingle begins are kept.
        """
        import numpy as np

        units, lengths = self.characters(texts) if self.unit == "characters" else self.words(texts)
        counts = np.maximum(1, lengths - self.size + 1)
        weights = np.random.RandomState(5).randint(0, 2**63, self.size, np.uint64) << np.uint64(1) | np.uint64(1)
        ends = len(units) - self.size + 1
        sums = units[:ends] * weights[0]
        for place in range(1, self.size):
            sums += units[place : place + ends] * weights[place]
        spans = np.stack([counts, lengths + self.size - counts], 1).ravel()
        begins = np.repeat(np.tile([True, False], len(texts)), spans)[:ends]
        return mixed(sums[begins]), counts

    def characters(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The code points of all texts, each text padded with one that none has, and how many each has."""
        import numpy as np

        pad = NOWHERE * self.size
        codes = np.frombuffer((pad.join(texts) + pad).encode("utf-32-le", "surrogatepass"), np.uint32)
        return codes, np.fromiter(map(len, texts), np.int64, len(texts))

    def words(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Hashes of the words of all texts, each text padded with zeros, and how many each has."""
        import numpy as np

        pad = [""] * self.size
        each = [text.split() for text in texts]
        flat = [word for words in each for word in words + pad]
        codes = {word: hashlib.blake2b(word.encode(), digest_size=8).digest() for word in set(flat)} | {"": bytes(8)}
        units = np.frombuffer(b"".join(map(codes.__getitem__, flat)), np.uint64)
        return units, np.fromiter(map(len, each), np.int64, len(each))


def mixed(values: np.ndarray) -> np.ndarray:
    """Each bit spread over all 64, in place."""
    import numpy as np

    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values ^= values >> np.uint64(33)
        values *= np.uint64(factor)
    values ^= values >> np.uint64(33)
    return values
