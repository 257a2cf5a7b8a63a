"""Rows of cells as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def aligned(rows: Iterable[Sequence[str]], indent: int = 0, gap: int = 2) -> list[str]:
    """The rows as columns of equal width, so many spaces from the left and from each other."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    between = " " * gap
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in lines)
    return [" " * indent + between.join(cells).rstrip() for cells in padded]
