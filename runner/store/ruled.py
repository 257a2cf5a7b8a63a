"""Ruled: a table of text for files and pipes, as rich draws it for terminals, without loading rich."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

GAP = "   "


def ruled(names: Sequence[str], right: Sequence[bool], rows: Sequence[Sequence[str]]) -> str:
    """A line of names, a rule, a line each row; columns of numbers stand at the right."""
    widths = [max(map(width, column)) for column in zip(names, *rows, strict=True)]
    lines = [line(cells, widths, right) for cells in (names, *rows)]
    rule = " " + "─" * (sum(widths) + len(GAP) * (len(widths) - 1))
    return "\n".join(["", lines[0], rule, *lines[1:], ""])


def line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """Cells side by side."""
    padded = []
    for cell, room, number in zip(cells, widths, right, strict=True):
        space = " " * (room - width(cell))
        padded.append(space + cell if number else cell + space)
    return f" {GAP.join(padded)}".rstrip()


def width(text: str) -> int:
    """Columns that a text takes on a terminal: those of wide letters are two, marks above letters have none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
