"""Coordinator: the trials of a grid in processes of their own, so many at a time, until each has ended."""

from __future__ import annotations

import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection
from pathlib import Path
from typing import Any

from runner.plan.trials import Entry, Trials
from runner.run.child import Child, nursery
from runner.run.experiment import prepared
from runner.run.slots import Slot, slots
from runner.run.supply import Supply
from runner.run.work import finished
from runner.run.worker import Ended, Order
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
        self.again: deque[tuple[Entry, Sets]] = deque()
        self.free: list[Slot] = slots(self.execute)[::-1]
        self.running: list[Child] = []
        self.ended: dict[str, Ended] = {}
        self.begun: Counter[str] = Counter()
        self.instead: dict[str, Entry] = {}
        self.stops = 0

    def conduct(self) -> None:
        """Until nothing runs, and nothing waits that may begin."""
        context = nursery()
        with asked(self):
            while self.running or (self.left and self.may_begin):
                while self.free and self.may_begin and (given := self.next()):
                    self.begin(context, *given)
                self.told(self)
                connection.wait([child.process.sentinel for child in self.running], LOOK)
                for child in [child for child in self.running if not child.process.is_alive()]:
                    self.end(child)
                for child in self.running:
                    child.limit(self.execute)
                    if not child.pruned and self.supply.given_up(child.entry):
                        child.prune()
        self.told(self)

    @property
    def left(self) -> int:
        """Trials that wait."""
        return len(self.again) + self.supply.left()

    def next(self) -> tuple[Entry, Sets] | None:
        """The next trial, those first that begin again, and the fields that are set for it alone."""
        if self.again:
            return self.again.popleft()
        entry = self.supply.take()
        return None if entry is None else (entry, ())

    @property
    def may_begin(self) -> bool:
        """Whether further trials may begin."""
        failed = any(each.state in FAILED for each in self.ended.values())
        return not self.stops and not (failed and self.execute.on_failure == "stop")

    def begin(self, context: Any, entry: Entry, more: Sets) -> None:
        """Let a worker do a trial; `more` are fields that are set for it alone."""
        slot = self.free.pop()
        file, trial, sets = self.trials.spec.file, entry.trial, (*self.sets, *more)
        kept = entry.plan.kept.frozen is not None
        order = Order(file, self.results, sets, dict(entry.point), trial.run, trial.key, slot.threads, slot.gpu, kept)
        self.begun[trial.run] += 1
        self.running.append(Child(context, entry, order, slot))

    def end(self, child: Child) -> None:
        """Take up how a worker ended; one that died may begin again."""
        self.running.remove(child)
        self.free.append(child.slot)
        ended = child.heard()
        if finished(self.results, child.entry.trial):
            ended = Ended("finished")  # it died, if it did, after all was done
        if ended.state == "lost" and self.begun[child.run] <= self.execute.retries and not self.stops:
            self.again.appendleft((child.entry, child.order.sets[len(self.sets) :]))
            return
        self.ended[child.run] = ended
        self.supply.end(child.entry, ended)
        if ended.short and self.execute.on_out_of_memory == "halve":
            self.halve(child)

    def halve(self, child: Child) -> None:
        """Let a trial that lacked memory be done in smaller pieces: the same optimizer steps of the same rows."""
        train = child.entry.plan.checked.spec.experiment.train
        if train.batch_size < 2:
            return
        more = (("train.batch_size", train.batch_size // 2), ("train.accumulate", train.accumulate * 2))
        sets, point = (*self.sets, *more), child.entry.point
        trials = prepared(self.trials.spec.file, self.results, sets=sets, point=point)
        entry = next(each for each in trials.entries if each.trial.seed == child.entry.trial.seed)
        self.instead[child.run] = entry
        if not finished(self.results, entry.trial):
            self.again.appendleft((entry, more))

    def stop(self) -> None:
        """Somebody asked to stop, once more."""
        self.stops += 1
        number = {1: None, 2: signal.SIGTERM}.get(self.stops, signal.SIGKILL)
        for child in self.running if number else ():
            child.signal(number or signal.SIGKILL)


@contextmanager
def asked(coordinator: Coordinator) -> Iterator[None]:
    """Hear SIGINT and SIGTERM as wishes to stop; a SIGTERM means that there is little time."""

    def heard(number: int, _: Any) -> None:
        coordinator.stops += number == signal.SIGTERM and not coordinator.stops
        coordinator.stop()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
