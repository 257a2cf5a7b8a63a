"""Supply: where the coordinator gets its next trial from; a grid knows all of them at the start."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from runner.plan.joint import sharing
from runner.plan.trials import Entry
from runner.run.order import Ended


class Supply(Protocol):
    """What the trials of a grid and of a search have in common."""

    def take(self, mates: str = "") -> Entry | None:
        """The next trial to do; None when there is none, for now. Mates are those that share their base, by its key."""
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

    def take(self, mates: str = "") -> Entry | None:
        found = next((each for each in self.entries if not mates or sharing(each.plan).key == mates), None)
        if found is not None:
            self.entries.remove(found)
        return found

    def left(self) -> int:
        return len(self.entries)

    def given_up(self, entry: Entry) -> bool:
        return False

    def end(self, entry: Entry, ended: Ended) -> None:
        """Nothing follows from it."""
