"""Child: a job as its coordinator sees it: limited, stopped, and the ends of its trials recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence

from runner.plan.trials import Entry
from runner.run.job import Job
from runner.run.order import Ended, Order
from runner.run.slots import Slot
from runner.run.work import finished, folder_of
from runner.spec.tables import Execute
from runner.store.log import Log, attempts

GIB = 2**30


class Child:
    """One job at work on one trial, or on several that share their base."""

    def __init__(self, job: Job, entries: Sequence[Entry], orders: Sequence[Order], slot: Slot) -> None:
        self.job, self.slot = job, slot
        self.entries = dict(zip((order.run for order in orders), entries, strict=True))
        self.orders = {order.run: order for order in orders}
        self.began, self.broke = time.monotonic(), ""
        self.pruned: set[str] = set()

    def limit(self, execute: Execute) -> None:
        """End it where it takes more time or memory than a trial may."""
        if execute.time_limit is not None and time.monotonic() - self.began > 60 * execute.time_limit:
            self.end("TimeLimit", f"it took more than {execute.time_limit:g} minutes")
        elif execute.memory_limit is not None and self.job.memory() > GIB * execute.memory_limit:
            self.end("OutOfMemory", f"it held more than {execute.memory_limit:g} GiB of memory")

    def prune(self, run: str) -> None:
        """Ask it to save and leave a trial, for that is not worth its time any more."""
        self.pruned.add(run)
        self.job.leave(run)

    def end(self, kind: str, why: str) -> None:
        """Kill all its processes, and remember why."""
        self.broke = self.broke or f"{kind}: {why}"
        self.job.kill()

    def stop(self) -> None:
        """Ask it to save and leave all its trials."""
        for run in self.orders:
            self.job.leave(run)

    def heard(self) -> dict[str, Ended]:
        """How its trials ended, now that it has."""
        said = self.job.said()
        return {run: self.judged(run, said.get(run)) for run in self.orders}

    def judged(self, run: str, said: Ended | None) -> Ended:
        """How one ended, put on record where the job could not do that."""
        if said is None or (self.broke and said.state != "finished"):
            return self.lost(run)
        return self.given_up(run) if run in self.pruned and said.state == "interrupted" else said

    def given_up(self, run: str) -> Ended:
        """The end of a trial that was pruned, put on record; the word may have come too late."""
        if finished(self.orders[run].results, self.entries[run].trial):
            return Ended("finished")
        self.record(run, "run_finished", state="pruned", seconds=time.monotonic() - self.began)
        return Ended("pruned")

    def record(self, run: str, event: str, **fields: object) -> None:
        """Write to the log of a run after its process has ended."""
        folder = folder_of(self.orders[run].results, run)
        log = Log(folder, run, max(attempts(folder), 1))
        log.write(event, **fields)
        log.close()

    def lost(self, run: str) -> Ended:
        """The end of a trial whose job said nothing of it, put on record in its place."""
        kind, _, why = (self.broke or f"Lost: {self.job.cause()}").partition(": ")
        state = "lost" if kind == "Lost" else "failed"
        self.record(run, "failure", kind=kind, message=why)
        self.record(run, "run_finished", state=state, seconds=time.monotonic() - self.began)
        return Ended(state, why, f"`runner resume {run}` goes on from its last saved state", kind == "OutOfMemory")
