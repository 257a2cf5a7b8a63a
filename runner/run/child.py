"""Child: a worker as its coordinator sees it: started, heard, limited, stopped, and its end recorded."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing import get_context
from typing import Any

from runner.plan.trials import Entry
from runner.run.slots import Slot, resident
from runner.run.work import finished, folder_of
from runner.run.worker import WARM, Ended, Order, worker
from runner.spec.tables import Execute
from runner.store.log import Log, attempts

GIB = 2**30


def nursery() -> Any:
    """The context whose processes begin with everything imported that takes seconds."""
    context = get_context("forkserver")
    context.set_forkserver_preload(WARM)
    return context


class Child:
    """One process at work on one trial."""

    def __init__(self, context: Any, entry: Entry, order: Order, slot: Slot) -> None:
        self.entry, self.order, self.slot = entry, order, slot
        self.began, self.broke, self.pruned = time.monotonic(), "", False
        self.line, other = context.Pipe()
        self.process = context.Process(target=worker, args=(order, other), name=order.run)
        self.process.start()
        other.close()

    @property
    def run(self) -> str:
        """The run that it works on."""
        return self.order.run

    def limit(self, execute: Execute) -> None:
        """End it where it takes more time or memory than a trial may."""
        if execute.time_limit is not None and time.monotonic() - self.began > 60 * execute.time_limit:
            self.end("TimeLimit", f"it took more than {execute.time_limit:g} minutes")
        elif execute.memory_limit is not None and resident(self.process.pid) > GIB * execute.memory_limit:
            self.end("OutOfMemory", f"it held more than {execute.memory_limit:g} GiB of memory")

    def prune(self) -> None:
        """Ask it to save and leave, for it is not worth its time any more."""
        self.pruned = True
        self.signal(signal.SIGTERM)

    def end(self, kind: str, why: str) -> None:
        """Kill all its processes, and remember why."""
        self.broke = self.broke or f"{kind}: {why}"
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send a signal to the worker, or, for a kill, to all that it started."""
        try:
            (os.killpg if number == signal.SIGKILL else os.kill)(self.process.pid, number)
        except ProcessLookupError:
            return  # it has just ended
        except PermissionError:
            self.process.kill()

    def heard(self) -> Ended:
        """How the trial ended, now that the process has."""
        said = None
        try:
            said = self.line.recv() if self.line.poll() else None
        except (EOFError, OSError):
            said = None
        self.process.join()
        self.line.close()
        if said is None or self.broke:
            return self.lost()
        return self.given_up() if self.pruned and said.state == "interrupted" else said

    def given_up(self) -> Ended:
        """The end of a trial that was pruned, put on record; the word may have come too late."""
        if finished(self.order.results, self.entry.trial):
            return Ended("finished")
        self.record("run_finished", state="pruned", seconds=time.monotonic() - self.began)
        return Ended("pruned")

    def record(self, event: str, **fields: Any) -> None:
        """Write to the log of the run after its process has ended."""
        folder = folder_of(self.order.results, self.run)
        log = Log(folder, self.run, max(attempts(folder), 1))
        log.write(event, **fields)
        log.close()

    def lost(self) -> Ended:
        """The end of a process that said nothing, put on record in its place."""
        code = self.process.exitcode
        by = f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with code {code}"
        kind, _, why = (self.broke or f"Lost: its process ended {by}, perhaps for want of memory").partition(": ")
        state = "lost" if kind == "Lost" else "failed"
        self.record("failure", kind=kind, message=why)
        self.record("run_finished", state=state, seconds=time.monotonic() - self.began)
        return Ended(state, why, f"`runner resume {self.run}` goes on from its last saved state", kind == "OutOfMemory")
