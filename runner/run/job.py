"""Job: a process somewhere that carries out an order, and the backend that begins such jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from runner.run.order import Ended, Order
from runner.run.slots import Slot
from runner.spec.tables import Execute

Orders = tuple[Order, ...]  # of one job; several share one base


class Job(Protocol):
    """One process at work, on this machine or another."""

    def running(self) -> bool:
        """Whether it has not ended yet."""
        ...

    def said(self) -> Mapping[str, Ended]:
        """How the trials of its runs ended, as far as it could say; complete where it ended by itself."""
        ...

    def leave(self, run: str) -> None:
        """Ask it to save the state of a run and end its trial."""
        ...

    def kill(self) -> None:
        """End it and all that it started."""
        ...

    def memory(self) -> int:
        """Bytes that it holds, 0 where nobody can tell."""
        ...

    def cause(self) -> str:
        """How its process ended, in words, where it could not say anything."""
        ...


class Backend(Protocol):
    """Where jobs run. It retries lost ones for itself, or leaves that to the coordinator."""

    retries: bool

    def slots(self) -> list[Slot]:
        """A slot for each job that may be begun before another has ended."""
        ...

    def start(self, orders: Sequence[Orders]) -> Sequence[Job]:
        """Begin a job for each of these, all at once."""
        ...

    def wait(self, jobs: Sequence[Job], seconds: float) -> None:
        """Until one of them has ended, or that much time is over."""
        ...

    def close(self) -> None:
        """Leave what it runs on."""
        ...


def backend(execute: Execute, name: str, results: Path) -> Backend:
    """The one that a spec asks for the grid `name`."""
    if execute.backend == "inline":
        from runner.run.inline import Inline

        return Inline(execute)
    if execute.backend == "ray":
        from runner.run.ray import Ray

        return Ray(execute)
    if execute.backend == "slurm":
        from runner.run.slurm import Slurm

        return Slurm(execute, results / "grids" / f"{name}.jobs")
    from runner.run.local import Local

    return Local(execute)
