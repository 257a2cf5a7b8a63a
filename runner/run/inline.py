"""Inline: jobs one after the other in this very process, where a debugger and a profiler see them."""

from __future__ import annotations

from collections.abc import Sequence

from runner.run.job import Job, Orders
from runner.run.order import Ended
from runner.run.slots import Slot, cores
from runner.run.worker import carried_out
from runner.spec.tables import Execute


class Inline:
    """The backend without other processes; nothing bounds time and memory here."""

    retries = False

    def __init__(self, execute: Execute) -> None:
        self.threads = execute.threads or cores()

    def slots(self) -> list[Slot]:
        """One."""
        return [Slot(0, self.threads, None)]

    def start(self, orders: Sequence[Orders]) -> list[Done]:
        """Carry them out."""
        return [Done({order.run: carried_out(order) for order in each}) for each in orders]

    def wait(self, jobs: Sequence[Job], seconds: float) -> None:
        """All have ended when they have begun."""

    def close(self) -> None:
        """There is nothing to leave."""


class Done:
    """A job that has ended."""

    def __init__(self, ended: dict[str, Ended]) -> None:
        self.ended = ended

    def running(self) -> bool:
        """Never."""
        return False

    def said(self) -> dict[str, Ended]:
        """How its trials ended."""
        return self.ended

    def leave(self, run: str) -> None:
        """It has left."""

    def kill(self) -> None:
        """It has ended."""

    def memory(self) -> int:
        """That of this process, which is not its own."""
        return 0

    def cause(self) -> str:
        """It always says how it ended."""
        return ""
