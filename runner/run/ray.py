"""Ray: jobs as tasks of a Ray cluster, whose nodes see the same folders; a task whose node dies begins elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from runner.errors import RunnerError
from runner.run.job import Job, Orders
from runner.run.order import Ended
from runner.run.remote import leave, remote
from runner.run.slots import Slot
from runner.spec.tables import Execute

GIB = 2**30


class Ray:
    """The backend of a Ray cluster (Moritz and others 2018, arXiv:1712.05889)."""

    retries = True

    def __init__(self, execute: Execute) -> None:
        self.ray = imported()
        self.execute, self.asked = execute, execute.ray
        self.threads = execute.threads or 1
        self.own = not self.ray.is_initialized()
        if self.own:
            self.ray.init(address=self.asked.address, include_dashboard=False, log_to_driver=False, logging_level=30)

    def slots(self) -> list[Slot]:
        """One for each worker; Ray finds nodes for them."""
        return [Slot(at, self.threads, None) for at in range(self.execute.workers)]

    def start(self, orders: Sequence[Orders]) -> list[Task]:
        """A task for each."""
        task = self.ray.remote(remote)
        asked = {
            "num_cpus": self.threads,
            "num_gpus": self.asked.gpus,
            "memory": None if self.asked.memory is None else int(self.asked.memory * GIB),
            "resources": dict(self.asked.resources),
            "max_retries": self.execute.retries,
        }
        return [Task(self.ray, each, task.options(name=each[0].run, **asked).remote(each)) for each in orders]

    def wait(self, jobs: Sequence[Job], seconds: float) -> None:
        """Until one task has ended."""
        if jobs:
            self.ray.wait([job.reference for job in jobs if isinstance(job, Task)], timeout=seconds)

    def close(self) -> None:
        """Leave the cluster, if nobody else in this process was there before."""
        if self.own:
            self.ray.shutdown()


class Task:
    """A task, which ends with what its trials said."""

    def __init__(self, ray: Any, orders: Orders, reference: Any) -> None:
        self.ray, self.orders, self.reference = ray, orders, reference
        self.why = ""

    def running(self) -> bool:
        """Whether it has given nothing yet."""
        ready, _ = self.ray.wait([self.reference], timeout=0)
        return not ready

    def said(self) -> dict[str, Ended]:
        """What it gave; nothing where Ray gave up."""
        try:
            found: dict[str, Ended] = self.ray.get(self.reference)
        except self.ray.exceptions.RayError as error:
            self.why = f"Ray lost it: {str(error).splitlines()[0]}"
            return {}
        return found

    def leave(self, run: str) -> None:
        """Put a file in the folder of the run."""
        leave(self.orders, run)

    def kill(self) -> None:
        """Let Ray kill the process."""
        self.ray.cancel(self.reference, force=True)

    def memory(self) -> int:
        """Ray limits memory by node."""
        return 0

    def cause(self) -> str:
        """What Ray says."""
        return self.why


def imported() -> Any:
    """The package, which asks nobody for its usage."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError:
        raise RunnerError('`backend = "ray"` needs the package `ray`', 'pip install -e ".[ray]"') from None
    return ray
