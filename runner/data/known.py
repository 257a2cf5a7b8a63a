"""Contents that are known, as sorted 64-bit numbers: eight bytes each, where a set of Python's takes sixty."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


class Known:
    """A set of numbers that grows, in a few sorted arrays each of which is at least twice as long as the next."""

    def __init__(self, contents: Iterable[np.ndarray], count: int) -> None:
        """So many numbers in several arrays, of which one is held at a time."""
        first, end = np.empty(count, np.uint64), 0
        for each in contents:
            end += len(each)
            first[end - len(each) : end] = each
        first.sort()
        self.parts = [first]

    def fresh(self, values: np.ndarray) -> np.ndarray:
        """Ascending positions of the values that were not known yet, of equal ones the first; from now on they are."""
        values, first = np.unique(values, return_index=True)
        for part in self.parts:
            unknown = ~among(part, values)
            values, first = values[unknown], first[unknown]
        if len(values):
            self.parts.append(values)
        while len(self.parts) > 1 and len(self.parts[-2]) < 2 * len(self.parts[-1]):
            self.parts[-2:] = [merged(*self.parts[-2:])]
        return np.sort(first)


def among(part: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which values stand in a sorted array."""
    places = np.searchsorted(part, values)
    within = places < len(part)
    within[within] = part[places[within]] == values[within]
    return within


def merged(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Two sorted arrays as one."""
    both = np.concatenate([one, other])
    both.sort(kind="stable")
    return both
