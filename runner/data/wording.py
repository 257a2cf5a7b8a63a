"""The words of texts as numbers: how long texts are, which words and runs of words they have, how they begin.

A word is what stands between spaces, in small letters and without the punctuation around it: "Don't!" is `don't`. What
is only punctuation is no word, unless the whole text is. In a script without spaces a sentence is one word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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

    def prefixes(self) -> np.ndarray:
        """Hashes of the first three words of each text, or of all its words if it has fewer."""
        starts = np.cumsum(self.counts) - self.counts
        sums = np.zeros(len(self.counts), np.uint64)
        for place in range(PREFIX):
            there = self.counts > place
            sums[there] += self.words[starts[there] + place] * WEIGHTS[place]
        return mixed(sums)


def wording(texts: Sequence[str]) -> Wording:
    """The words of these texts."""
    each = [words_of(text) for text in texts]
    flat = [word for words in each for word in words]
    codes = {word: hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest() for word in set(flat)}
    hashes = np.frombuffer(b"".join(map(codes.__getitem__, flat)), np.uint64)
    return Wording(hashes, np.fromiter(map(len, each), np.int64, len(each)))


def words_of(text: str) -> list[str]:
    """The words of one text, at least one unless it is blank."""
    written = text.casefold().split()
    return [bare for word in written if (bare := word.strip(AROUND))] or written


def prefix(text: str) -> str:
    """The first three words of a text."""
    return " ".join(words_of(text)[:PREFIX])
