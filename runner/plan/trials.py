"""Trials: the plans of all points of a spec, each trial once however many points or seeds come to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from runner.cache.cache import Cache, fingerprint
from runner.errors import Diagnostic
from runner.plan.check import Checked
from runner.plan.compile import Plan, Trial, compile
from runner.plan.kept import settled
from runner.plan.verdict import remarks
from runner.spec.read import Spec


class Entry(NamedTuple):
    """One trial of a spec: its plan, and the place of its point in the grid."""

    plan: Plan
    trial: Trial
    position: int

    @property
    def point(self) -> Mapping[str, Any]:
        """What the grid sets: dotted fields and their values."""
        return self.plan.checked.spec.point


@dataclass(frozen=True, eq=False)
class Trials:
    """All that one spec asks for."""

    spec: Spec
    plans: tuple[Plan, ...]

    @property
    def name(self) -> str:
        """The name of the spec, by which the store knows its grid."""
        return self.spec.experiment.name

    @property
    def alone(self) -> bool:
        """Whether it is a single trial."""
        return len(self.entries) == 1

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Each trial once, at its first point."""
        found: dict[str, Entry] = {}
        for position, plan in enumerate(self.plans):
            for trial in plan.trials:
                found.setdefault(trial.key, Entry(plan, trial, position))
        return tuple(found.values())

    @property
    def repeated(self) -> int:
        """How many trials are the same as an earlier one."""
        return sum(len(plan.trials) for plan in self.plans) - len(self.entries)

    @property
    def key(self) -> str:
        """Identity of the whole."""
        return fingerprint([[entry.trial.key, dict(entry.point)] for entry in self.entries])

    @property
    def warnings(self) -> list[Diagnostic]:
        """The warnings of all points, each once."""
        return remarks([plan.checked for plan in self.plans])

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The fields that the grid sets, in the order written."""
        return tuple(dict.fromkeys(name for plan in self.plans for name in plan.checked.spec.point))


def compiled(spec: Spec, checks: Sequence[Checked], cache: Cache, begun: bool | None = None) -> Trials:
    """The plans of a spec whose points were checked; runs have names of their own.

    `begun` says whether activations of frozen layers are kept, where another process has settled that.
    """
    search = spec.experiment.search
    kept = settled(checks, cache, 1 if search is None else search.trials, begun)
    plans = [compile(checked, cache, own) for checked, own in zip(checks, kept, strict=True)]
    return Trials(spec, tuple(named(plans)))


def named(plans: Sequence[Plan]) -> Iterator[Plan]:
    """The plans with longer names for runs where keys of different trials begin alike."""
    keys = {(trial.run, trial.key) for plan in plans for trial in plan.trials}
    twice = {run for run, count in Counter(run for run, _ in keys).items() if count > 1}
    for plan in plans:
        trials = (
            replace(trial, run=f"{trial.run}{trial.key[8:16]}") if trial.run in twice else trial
            for trial in plan.trials
        )
        yield replace(plan, trials=tuple(trials)) if twice else plan
