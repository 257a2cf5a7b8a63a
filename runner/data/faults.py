"""What is wrong with a data set: every fault at once, each with its place in the spec."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runner.errors import RunnerError

RESERVED = ("id", "line", "file", "_line", "_content")


def counted(count: int, noun: str) -> str:
    """A number with its noun: "1 row", "2,000 rows"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


class Fault(NamedTuple):
    """One fault; `where` is a path below `[data.NAME]`, such as ("validation", "stratify").

    `column` is one that a task names: the fault is rather there.
    """

    where: tuple[str | int, ...]
    message: str
    hint: str = ""
    column: str = ""


class RowFault(RunnerError):
    """A cleaner could not do its work on one row; `place` is its own among the cleaners of the file."""

    def __init__(self, message: str, hint: str = "", place: int = 0) -> None:
        super().__init__(message, hint)
        self.place = place


class DataFaults(RunnerError):
    """All faults of one data set."""

    def __init__(self, name: str, faults: Iterable[Fault]) -> None:
        self.name = name
        self.faults = list(faults)
        told = "\n".join(f"  {'.'.join(map(str, fault.where))}: {fault.message}" for fault in self.faults)
        hints = dict.fromkeys(fault.hint for fault in self.faults if fault.hint)
        super().__init__(f"{counted(len(self.faults), 'fault')} in data set `{name}`:\n{told}", "; ".join(hints))
