"""The words of texts, and runs of them, as numbers.

A word is what stands between spaces, in small letters and without the punctuation around it: "Don't!" is `don't`. What
is only punctuation is no word, unless the whole text is. In a script without spaces a sentence is one word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from string import punctuation
from typing import NamedTuple

import numpy as np

from runner.parts.cleaners._shingles import mixed

PREFIX = 3  # words
AROUND = punctuation + "“”„‘’‚«»‹›…–—·¡¿。、，．！？：；（）「」『』【】।॥،؛؟"
WEIGHTS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


class Wording(NamedTuple):
    """The words of some texts: 64-bit hashes in one array, and how many belong to each text."""

    words: np.ndarray
    counts: np.ndarray

    def runs(self, length: int) -> np.ndarray:
        """Hashes of all runs of one to three words, within texts."""
        ends = np.cumsum(self.counts)
        left = np.repeat(ends, self.counts) - np.arange(len(self.words))
        starts = np.flatnonzero(left >= length)
        sums = np.zeros(len(starts), np.uint64)
        for place in range(length):
            sums += self.words[starts + place] * WEIGHTS[place]
        return mixed(sums)


def wording(texts: Sequence[str]) -> Wording:
    """The words of these texts."""
    each = [words_of(text) for text in texts]
    known = {word: hashed(word) for word in {word for words in each for word in words}}
    hashes = np.frombuffer(b"".join(known[word] for words in each for word in words), np.uint64)
    return Wording(hashes, np.fromiter(map(len, each), np.int64, len(each)))


def words_of(text: str) -> list[str]:
    """The words of one text, at least one unless it is blank."""
    written = text.casefold().split()
    return list(bare(written)) or written


def prefix(written: Sequence[str]) -> str:
    """The first three words of a text that was split at its spaces."""
    found = list(islice(bare(map(str.casefold, written)), PREFIX))
    return " ".join(found or [word.casefold() for word in written[:PREFIX]])


def bare(written: Iterable[str]) -> Iterator[str]:
    """Words without the punctuation around them."""
    return (found for word in written if (found := word.strip(AROUND)))


def hashed(text: str) -> bytes:
    """Eight bytes that stand for a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
