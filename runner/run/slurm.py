"""Slurm: jobs as elements of arrays that submitit queues; one that is preempted saves its state and is queued again."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.run.job import Job, Orders
from runner.run.order import Ended
from runner.run.remote import leave, remote
from runner.run.signals import heard
from runner.run.slots import Slot
from runner.run.worker import events
from runner.run.worker import leave as save
from runner.spec.tables import Execute
from runner.store.processes import runs
from runner.train.state import replace_text

ARRAY = 1000  # the largest array that Slurm takes by default
JOB = "job.json"  # in the folder of a run: the job that works on it


class Slurm:
    """The backend of a Slurm cluster, or of its imitation on this machine."""

    retries = False

    def __init__(self, execute: Execute, folder: Path) -> None:
        self.submitit = imported()
        self.execute, self.asked, self.folder = execute, execute.slurm, folder.absolute()
        self.threads = execute.threads or 1
        self.executor = self.made()

    def made(self) -> Any:
        """What queues jobs, with all that the spec asks for."""
        asked, where = self.asked, "local" if self.asked.local else "slurm"
        try:
            executor = self.submitit.AutoExecutor(self.folder, cluster=where, slurm_max_num_timeout=asked.requeues)
        except RuntimeError as error:
            hint = "run it where `sbatch` is, or set `slurm.local = true`"
            raise RunnerError(f"no Slurm here: {error}", hint) from None
        known = {"slurm_partition": asked.partition, "mem_gb": asked.memory, "gpus_per_node": asked.gpus or None}
        executor.update_parameters(
            timeout_min=max(round(asked.minutes), 1),
            cpus_per_task=self.threads,
            slurm_array_parallelism=self.execute.workers,
            slurm_signal_delay_s=asked.notice,
            slurm_additional_parameters=dict(asked.options),
            **{name: value for name, value in known.items() if value is not None},
        )
        return executor

    def slots(self) -> list[Slot]:
        """As many as an array has, for Slurm lets only so many run at a time; on this machine one for each worker."""
        count = self.execute.workers if self.asked.local else ARRAY
        return [Slot(at, self.threads, None) for at in range(count)]

    def start(self, orders: Sequence[Orders]) -> list[Queued]:
        """An array for those that no job works on any more from before."""
        found = [self.adopted(each) for each in orders]
        new = [each for each, job in zip(orders, found, strict=True) if job is None]
        with heard(signal.SIG_IGN, signal.SIGINT), self.executor.batch():  # Ctrl-C is for the coordinator alone
            queued = [self.executor.submit(Array(each)) for each in new]
        now = time.time()
        for each, job in zip(new, queued, strict=True):
            about = json.dumps({"id": job.job_id, "folder": str(self.folder), "time": now})
            for order in each:
                order.folder.mkdir(parents=True, exist_ok=True)
                replace_text(order.folder / JOB, about)
        begun = iter([Queued(each, job, self.asked.local, now) for each, job in zip(new, queued, strict=True)])
        return [job or next(begun) for job in found]

    def adopted(self, orders: Orders) -> Queued | None:
        """The job that an earlier coordinator began for the same runs, if it has not ended."""
        told = {(order.folder / JOB).read_text() if (order.folder / JOB).exists() else "" for order in orders}
        if len(told) != 1 or told == {""}:
            return None
        about = json.loads(told.pop())
        kind = self.submitit.LocalJob if self.asked.local else self.submitit.SlurmJob
        job = Queued(orders, kind(about["folder"], about["id"]), self.asked.local, about["time"])
        return job if job.running() else None

    def wait(self, jobs: Sequence[Job], seconds: float) -> None:
        """Until one has ended; nobody tells, so it is asked for."""
        end = time.monotonic() + seconds
        while jobs and time.monotonic() < end and all(job.running() for job in jobs):
            time.sleep(0.1)

    def close(self) -> None:
        """Jobs that are left stay queued."""


class Array:
    """What a job does. Told that its end comes, it saves all states first and lets submitit queue it again."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders

    def __call__(self) -> dict[str, Ended]:
        """How the trials ended."""
        if os.getpid() != os.getsid(0):
            os.setsid()  # what it starts ends with it
        stops, told = events(self.orders), threading.Event()

        def warned(*_: Any) -> None:
            told.set()
            save(stops)

        with heard(warned, signal.SIGUSR2):
            ended = remote(self.orders, stops)
        if told.is_set() and any(each.state == "interrupted" for each in ended.values()):
            signal.raise_signal(signal.SIGUSR2)  # submitit's own handler queues the job again and exits
        return ended

    def checkpoint(self) -> Any:
        """The job to queue again: the same, for states lie in the folders of the runs."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class Queued:
    """A job in the queue, at work or ended."""

    def __init__(self, orders: Orders, job: Any, local: bool, since: float) -> None:
        self.orders, self.job, self.local, self.since = orders, job, local, since
        self.why = ""

    def running(self) -> bool:
        """Whether it has neither ended nor vanished."""
        if not self.local:
            return not self.job.done()
        known = self.job._process is not None
        return (
            not self.job.done() if known else not self.job.paths.result_pickle.exists() and runs(self.pid, self.since)
        )

    @property
    def pid(self) -> int:
        """The process that controls a job of this machine."""
        return int(self.job.job_id)

    def said(self) -> dict[str, Ended]:
        """What it gave; nothing where it was lost."""
        for order in self.orders:
            (order.folder / JOB).unlink(missing_ok=True)
        if self.local and not self.job.paths.result_pickle.exists():
            self.why = "its process ended without a word, perhaps for want of memory"
            return {}
        try:
            found: dict[str, Ended] = self.job.result()
        except Exception as error:  # submitit has errors of its own, and those of the job
            self.why = f"job {self.job.job_id}: {str(error).strip().splitlines()[0]}"
            return {}
        return found

    def leave(self, run: str) -> None:
        """Put a file in the folder of the run."""
        leave(self.orders, run)

    def kill(self) -> None:
        """Cancel it."""
        if not self.local:
            self.job.cancel(check=False)
            return
        for session in children(self.pid):
            gone(os.killpg, session)
        gone(os.kill, self.pid)

    def memory(self) -> int:
        """Slurm limits memory by job."""
        return 0

    def cause(self) -> str:
        """What submitit says."""
        return self.why


def children(parent: int) -> list[int]:
    """The processes that a process of this machine started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended just now
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def gone(kill: Any, number: int) -> None:
    """Kill what may have ended."""
    try:
        kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return


def imported() -> Any:
    """The package."""
    try:
        import submitit
    except ModuleNotFoundError:
        raise RunnerError('`backend = "slurm"` needs the package `submitit`', 'pip install -e ".[slurm]"') from None
    return submitit
