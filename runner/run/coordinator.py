"""Coordinator: the trials of a grid in processes of their own, so many at a time, until each has ended."""

from __future__ import annotations

import math
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.plan.joint import MOST, sharing
from runner.plan.trials import Entry, Trials
from runner.run.child import Child
from runner.run.experiment import prepared
from runner.run.job import backend
from runner.run.order import Ended, Order
from runner.run.signals import heard
from runner.run.slots import Slot
from runner.run.supply import Supply
from runner.run.work import finished
from runner.spec.read import Sets

LOOK = 0.5  # seconds between two looks at limits and signals
FAILED = ("failed", "lost")
Told = Callable[["Coordinator"], None]


class Coordinator:
    """Gives what is supplied to workers. `ended` says how each trial ended; `stops` how often somebody asked to stop.

    The first time no new trial begins, the second time those that run save their state and leave, the third time they
    are killed.
    """

    def __init__(self, trials: Trials, supply: Supply, results: Path, sets: Sets, told: Told) -> None:
        self.trials, self.supply, self.results, self.sets, self.told = trials, supply, results, tuple(sets), told
        self.execute = trials.spec.experiment.execute
        self.backend = backend(self.execute, trials.name, results)
        self.again: deque[tuple[Entry, Sets]] = deque()
        self.free: list[Slot] = self.backend.slots()[::-1]
        if trials.spec.experiment.search is not None:
            self.free = self.free[-self.execute.workers :]  # what is asked later knows more
        self.running: list[Child] = []
        self.ended: dict[str, Ended] = {}
        self.begun: Counter[str] = Counter()
        self.instead: dict[str, Entry] = {}
        self.stops = 0

    def conduct(self) -> None:
        """Until nothing runs, and nothing waits that may begin."""
        try:
            with asked(self):
                while self.running or (self.left and self.may_begin):
                    self.fill()
                    self.told(self)
                    self.backend.wait([child.job for child in self.running], LOOK)
                    for child in [child for child in self.running if not child.job.running()]:
                        self.end(child)
                    for child in self.running:
                        child.limit(self.execute)
                        for run, entry in child.entries.items():
                            if run not in child.pruned and self.supply.given_up(entry):
                                child.prune(run)
        finally:
            self.backend.close()
        self.told(self)

    def fill(self) -> None:
        """Begin as many jobs as there are free slots."""
        groups: list[tuple[list[Entry], Sets]] = []
        while len(groups) < len(self.free) and self.may_begin and (given := self.next(len(self.free) - len(groups))):
            groups.append(given)
        if groups:
            self.begin(groups)

    @property
    def left(self) -> int:
        """Trials that wait."""
        return len(self.again) + self.supply.left()

    def next(self, free: int) -> tuple[list[Entry], Sets] | None:
        """The next trials of one job, those first that begin again, and the fields that are set for them alone."""
        if self.again:
            entry, more = self.again.popleft()
            return [entry], more
        found = self.supply.take()
        return None if found is None else (self.mates(found, free), ())

    def mates(self, first: Entry, free: int) -> list[Entry]:
        """A trial and those that share its base, as many as leave work for the other slots."""
        found, key = [first], sharing(first.plan).key
        most = min(MOST, math.ceil((1 + self.supply.left()) / free))
        while key and len(found) < most and (mate := self.supply.take(key)):
            found.append(mate)
        return found

    @property
    def may_begin(self) -> bool:
        """Whether further trials may begin."""
        failed = any(each.state in FAILED for each in self.ended.values())
        return not self.stops and not (failed and self.execute.on_failure == "stop")

    def begin(self, groups: Sequence[tuple[list[Entry], Sets]]) -> None:
        """Let a job do the trials of each group."""
        slots = [self.free.pop() for _ in groups]
        orders = [
            tuple(self.order(entry, slot, more) for entry in entries)
            for (entries, more), slot in zip(groups, slots, strict=True)
        ]
        self.begun.update(order.run for each in orders for order in each)
        jobs = self.backend.start(orders)
        for job, (entries, _), own, slot in zip(jobs, groups, orders, slots, strict=True):
            self.running.append(Child(job, entries, own, slot))

    def order(self, entry: Entry, slot: Slot, more: Sets) -> Order:
        """What a worker must know of a trial; `more` are fields that are set for it alone."""
        file, trial, sets = self.trials.spec.file, entry.trial, (*self.sets, *more)
        kept = entry.plan.kept.frozen is not None
        return Order(file, self.results, sets, dict(entry.point), trial.run, trial.key, slot.threads, slot.gpu, kept)

    def end(self, child: Child) -> None:
        """Take up how a job ended; trials that are lost with it may begin again."""
        self.running.remove(child)
        self.free.append(child.slot)
        for run, ended in child.heard().items():
            self.ending(child, run, ended)

    def ending(self, child: Child, run: str, ended: Ended) -> None:
        """Take up how one of its trials ended."""
        entry, more = child.entries[run], child.orders[run].sets[len(self.sets) :]
        if finished(self.results, entry.trial):
            ended = Ended("finished")  # it died, if it did, after all was done
        tries = 0 if self.backend.retries else self.execute.retries
        if ended.state == "lost" and self.begun[run] <= tries and not self.stops:
            self.again.append((entry, more))
            return
        self.ended[run] = ended
        self.supply.end(entry, ended)
        if ended.short and self.execute.on_out_of_memory == "halve":
            self.halve(run, entry)

    def halve(self, run: str, entry: Entry) -> None:
        """Let a trial that lacked memory be done in smaller pieces: the same optimizer steps of the same rows."""
        train = entry.plan.checked.spec.experiment.train
        if train.batch_size < 2:
            return
        more = (("train.batch_size", train.batch_size // 2), ("train.accumulate", train.accumulate * 2))
        trials = prepared(self.trials.spec.file, self.results, sets=(*self.sets, *more), point=entry.point)
        smaller = next(each for each in trials.entries if each.trial.seed == entry.trial.seed)
        self.instead[run] = smaller
        if not finished(self.results, smaller.trial):
            self.again.appendleft((smaller, more))

    def stop(self) -> None:
        """Somebody asked to stop, once more."""
        self.stops += 1
        for child in self.running if self.stops > 1 else ():
            child.stop() if self.stops == 2 else child.job.kill()


@contextmanager
def asked(coordinator: Coordinator) -> Iterator[None]:
    """Hear SIGINT and SIGTERM as wishes to stop; a SIGTERM means that there is little time."""

    def hear(number: int, _: Any) -> None:
        coordinator.stops += number == signal.SIGTERM and not coordinator.stops
        coordinator.stop()

    with heard(hear):
        yield
