"""Words of a text: where they are, and which token each begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

WORD = re.compile(r"\w+|[^\w\s]")


def marked(text: str) -> list[tuple[int, int]]:
    """Places of the runs of letters and digits, and of each other mark."""
    return [match.span() for match in WORD.finditer(text)]


def spaced(text: str) -> list[tuple[int, int]]:
    """Places of the words that single spaces part."""
    found = []
    start = 0
    for word in text.split(" "):
        found.append((start, start + len(word)))
        start += len(word) + 1
    return found


def firsts(words: Sequence[tuple[int, int]], starts: np.ndarray, ends: np.ndarray) -> Iterator[tuple[int, int]]:
    """Each word that has a token of its own, and the first of these; tokens without characters are special.

    A token may begin with the space before a word. One that covers two words is that of the first.
    """
    import numpy as np

    real = np.flatnonzero(ends > starts)
    places = np.searchsorted(ends[real], [start for start, _ in words], "right").tolist()
    free = 0
    for word, place in enumerate(places):
        place = max(place, free)
        if place < len(real) and starts[real[place]] < words[word][1]:
            yield word, int(real[place])
            free = place + 1
