"""Local: jobs as processes of this machine, from a fork server that has imported everything that takes seconds."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from multiprocessing import connection, get_context
from typing import Any

from runner.run.job import Job, Orders
from runner.run.order import Ended
from runner.run.slots import Slot, resident, slots
from runner.run.worker import WARM, worker
from runner.spec.tables import Execute


class Local:
    """The backend of one machine."""

    retries = False

    def __init__(self, execute: Execute) -> None:
        self.execute = execute
        self.context: Any = get_context("forkserver")
        self.context.set_forkserver_preload(WARM)

    def slots(self) -> list[Slot]:
        """Shares of cores and GPUs."""
        return slots(self.execute)

    def start(self, orders: Sequence[Orders]) -> list[Process]:
        """A process for each."""
        return [Process(self.context, each) for each in orders]

    def wait(self, jobs: Sequence[Job], seconds: float) -> None:
        """Until one has ended."""
        connection.wait([job.process.sentinel for job in jobs if isinstance(job, Process)], seconds)

    def close(self) -> None:
        """The fork server ends with this process."""


class Process:
    """A worker, and the line on which it says how trials ended and hears which to leave."""

    def __init__(self, context: Any, orders: Orders) -> None:
        self.line, other = context.Pipe()
        self.process = context.Process(target=worker, args=(orders, other), name=orders[0].run)
        self.process.start()
        other.close()
        self.heard: dict[str, Ended] = {}

    def running(self) -> bool:
        """Whether it lives; what it says meanwhile is taken in, so that its line never fills up."""
        alive = bool(self.process.is_alive())
        self.listen()
        return alive

    def listen(self) -> None:
        """Take in all that was said."""
        try:
            while not self.line.closed and self.line.poll():
                run, ended = self.line.recv()
                self.heard[run] = ended
        except (EOFError, OSError):
            self.line.close()

    def said(self) -> dict[str, Ended]:
        """All that was said by its end."""
        self.process.join()
        self.listen()
        self.line.close()
        return self.heard

    def leave(self, run: str) -> None:
        """Say so on the line."""
        try:
            self.line.send(run)
        except OSError:
            return  # it has just ended

    def kill(self) -> None:
        """Kill its session."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it has just ended
        except PermissionError:
            self.process.kill()

    def memory(self) -> int:
        """What its session holds."""
        return resident(self.process.pid)

    def cause(self) -> str:
        """The signal or the code that it ended with."""
        code = self.process.exitcode
        by = f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with code {code}"
        return f"its process ended {by}, perhaps for want of memory"
