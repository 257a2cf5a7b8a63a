"""Company: the processes that train one run together, started, watched, stopped and heard by the one that runs it."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection, get_context, resource_tracker
from pathlib import Path
from typing import Any

from runner.errors import Interrupted, RunnerError
from runner.run.member import Part, member
from runner.run.work import Work

LOOK = 0.2  # seconds between two looks at whether somebody wants to stop
GRACE = 10.0  # seconds that members have to end after one of them failed


def trained_together(work: Work, stop: threading.Event, show: bool) -> int:
    """Let all members of the company fit the network; the optimizer steps that they took.

    States and best weights lie in the run's folder afterwards. Raises what the first member that failed raised, or
    RunnerError where one of them died; no member is left behind.
    """
    train, context = work.experiment.train, get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="runner-") as meeting:
        company: list[Member] = []
        try:
            with unheard():
                for rank in range(train.devices):
                    company.append(Member(context, Part(work, rank, Path(meeting) / "ranks", show)))
            watch(company, stop)
        finally:
            for each in company:
                each.end()
    for each in company:
        if each.error is not None:
            raise each.error
    return company[0].steps or 0


@contextmanager
def unheard() -> Iterator[None]:
    """Processes begun now never hear what stops a run: a terminal tells all of them, and they must stop as one."""
    resource_tracker.ensure_running()  # which would let signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Member:
    """One process, and what it said."""

    def __init__(self, context: Any, part: Part) -> None:
        self.name = f"process {part.rank + 1} of {part.size}"
        self.steps: int | None = None
        self.error: BaseException | None = None
        self.asked = False
        self.line, other = context.Pipe()
        self.process = context.Process(target=member, args=(part, other), name=self.name)
        self.process.start()
        other.close()

    @property
    def done(self) -> bool:
        """Whether it ended, or said how it will."""
        return self.steps is not None or self.error is not None

    def stop(self) -> None:
        """Ask it to save and leave, once."""
        if not self.asked:
            self.asked = True
            try:
                self.line.send("stop")
            except OSError:
                return  # it has just ended, which the next look finds

    def hear(self) -> None:
        """Take up what it said last; RunnerError about a process that died without a word."""
        try:
            said = self.line.recv() if self.line.poll() else None
        except (EOFError, OSError):
            said = None
        if isinstance(said, int):
            self.steps = said
        elif said is not None:
            self.error = said
        elif not self.process.is_alive():
            self.error = Died(self.name, self.process.exitcode)

    def end(self) -> None:
        """Leave no process behind."""
        if self.done and not isinstance(self.error, Died):
            self.process.join(GRACE)
        self.process.kill()
        self.process.join()
        self.line.close()


class Died(RunnerError):
    """A process that ended without a word."""

    def __init__(self, name: str, code: int | None) -> None:
        killed = code is not None and code < 0
        how = f"was killed by {signal.Signals(-code).name}" if killed and code else f"ended with code {code}"
        message = f"{name}, which trained the run, {how}" + (", perhaps for want of memory" if code == -9 else "")
        super().__init__(message, "`runner resume` goes on from the last saved state")


def watch(company: Sequence[Member], stop: threading.Event) -> None:
    """Until all are done, or one has failed: then of those that fail soon after the likeliest cause stays."""
    left = list(company)
    while left and not any(each.error for each in company):
        left = heard(left, LOOK)
        if stop.is_set():
            company[0].stop()
    if not left:
        return cause(company)
    while left and (fewer := heard(left, GRACE)) != left:
        left = fewer
    cause(company)


def heard(left: Sequence[Member], seconds: float) -> list[Member]:
    """Those that are still at work after at most so many seconds, or after some of them said something."""
    waiting = {each.line: each for each in left} | {each.process.sentinel: each for each in left}
    for each in {id(waiting[one]): waiting[one] for one in connection.wait(list(waiting), seconds)}.values():
        each.hear()
    return [each for each in left if not each.done]


def cause(company: Sequence[Member]) -> None:
    """Keep one error: a death before an error for users, and this before that of one whose peers had gone."""

    def rank(each: Member) -> int:
        kinds = (Interrupted, Died, RunnerError)
        return next((at for at, kind in enumerate(kinds) if isinstance(each.error, kind)), len(kinds))

    failed = [each for each in company if each.error is not None]
    first = min(failed, key=rank, default=None)
    for each in failed:
        each.error = each.error if each is first else None
