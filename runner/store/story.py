"""Story: the history that two logs of one run tell, what they have in common, and what one lacks of the other.

Which grids a run belongs to is told by whoever planned them, on each machine anew: those records are no part of the
history. Of two logs whose histories differ only in length, the longer one is a later state of the same run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest
from typing import BinaryIO

GRID = b'{"event":"grid",'  # as the log writes it
Told = tuple[float, bytes]


class Diverged(Exception):
    """Two logs tell different stories from a line of ours on, 1-based."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


@dataclass
class Story:
    """The history of a log, line by line; `grids` has the last record of each grid once all lines were read.

    A torn last line is no part of it: it waits for its end, or never was a record.
    """

    stream: BinaryIO
    grids: dict[str, Told] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        for number, line in enumerate(self.stream, 1):
            if line.startswith(GRID):
                self.enrol(line)
            elif line.endswith(b"\n"):
                yield number, line

    def enrol(self, line: bytes) -> None:
        """Keep a record of a grid; what cannot be read as one says nothing."""
        try:
            record = json.loads(line)
            self.grids[str(record["grid"])] = float(record["time"]), line
        except (ValueError, LookupError, TypeError, RecursionError):
            return


@dataclass(frozen=True)
class Lack:
    """What ours lacks of theirs: all history after the first `known` lines of it if there is `more`, and `grids`.

    `ahead` says that ours has more history than theirs.
    """

    known: int
    more: bool
    ahead: bool
    grids: tuple[bytes, ...]

    def __bool__(self) -> bool:
        return self.more or bool(self.grids)

    def lines(self, theirs: BinaryIO) -> Iterator[bytes]:
        """The lines to append, from their log read anew; after a part of them ours lacks exactly the others."""
        history = (line for _, line in Story(theirs))
        return chain(islice(history, self.known, None) if self.more else (), self.grids)


def lack(ours: BinaryIO, theirs: BinaryIO) -> Lack:
    """Compare two logs of one run; Diverged where neither history begins with the other."""
    mine, other = Story(ours), Story(theirs)
    known, more, ahead = 0, False, False
    for own, line in zip_longest(mine, other):
        if own and line and own[1] != line[1]:
            raise Diverged(own[0])
        more, ahead = more or own is None, ahead or line is None
        known += not more and not ahead
    return Lack(known, more, ahead, tuple(later(mine, other)))


def later(mine: Story, other: Story) -> Iterator[bytes]:
    """The last records of their grids that are later than ours: by time, then by their bytes, so that all agree."""
    for grid, told in sorted(other.grids.items()):
        if grid not in mine.grids or told > mine.grids[grid]:
            yield told[1]
