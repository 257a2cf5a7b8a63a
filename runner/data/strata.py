"""Every class on both sides of a split, where it has the rows for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

REST = -1


def cover(numbers: Sequence[int], classes: np.ndarray, hashed: np.ndarray, section: np.ndarray) -> None:
    """Change `section` so that each class with two contents or more has rows in the rest and, if it can, in `numbers`.

    All rows of one content (equal `hashed`) move together, so that repeats stay on one side. A missing section gets the
    content with the smallest hash, a missing rest the one with the largest; a section's last content stays.
    """
    for rows in rows_by_class(classes):
        rows = rows[np.isin(section[rows], [*numbers, REST])]
        if len(np.unique(hashed[rows])) < 2:
            continue
        if not contents(REST, rows, hashed, section).size:
            donor = max(numbers, key=lambda number: last_to_give(number, rows, hashed, section))
            move(contents(donor, rows, hashed, section)[-1], donor, REST, hashed, section)
        for number in numbers:
            rich = [each for each in (REST, *numbers) if contents(each, rows, hashed, section).size > 1]
            if rich and not contents(number, rows, hashed, section).size:
                move(contents(rich[0], rows, hashed, section)[0], rich[0], number, hashed, section)


def rows_by_class(classes: np.ndarray) -> Iterator[np.ndarray]:
    """The positions of each class, classes in sorted order."""
    order = np.argsort(classes, kind="stable").astype(np.int32)
    ordered = classes[order]
    yield from np.split(order, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)


def contents(number: int, rows: np.ndarray, hashed: np.ndarray, section: np.ndarray) -> np.ndarray:
    """The sorted contents that some rows have in a section."""
    return np.unique(hashed[rows[section[rows] == number]])


def last_to_give(number: int, rows: np.ndarray, hashed: np.ndarray, section: np.ndarray) -> tuple[bool, int]:
    """Order of donors: those with contents to spare first, then by the largest hash."""
    held = contents(number, rows, hashed, section)
    return held.size > 1, int(held[-1]) if held.size else -1


def move(content: np.uint64, before: int, after: int, hashed: np.ndarray, section: np.ndarray) -> None:
    """Move all rows of a content from one section to another."""
    section[(hashed == content) & (section == before)] = after
