"""Supply: where the coordinator gets its next trial from; a grid knows all of them at the start."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from runner.plan.trials import Entry
from runner.run.worker import Ended


class Supply(Protocol):
    """What the trials of a grid and of a search have in common."""

    def take(self) -> Entry | None:
        """The next trial to do; None when there is none, for now."""
        ...

    def left(self) -> int:
        """How many are still to be taken."""
        ...

    def given_up(self, entry: Entry) -> bool:
        """Whether a trial at work is not worth its time any more."""
        ...

    def end(self, entry: Entry, ended: Ended) -> None:
        """Hear how a trial ended."""
        ...


class Queue:
    """Trials in their order, none of which depends on another."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = deque(entries)

    def take(self) -> Entry | None:
        return self.entries.popleft() if self.entries else None

    def left(self) -> int:
        return len(self.entries)

    def given_up(self, entry: Entry) -> bool:
        return False

    def end(self, entry: Entry, ended: Ended) -> None:
        """Nothing follows from it."""
