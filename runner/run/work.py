"""Work: one attempt of one trial, and what every stage of it needs to know."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache
from runner.plan.check import Checked
from runner.plan.compile import Plan, Trial
from runner.spec.tables import Experiment
from runner.store.log import Log

DONE = "finished.json"
ORIGIN = "origin.json"  # what a later attempt must know
SPEC = "spec.toml"
Join = Callable[[Any], None] | None


def folder_of(results: Path, run: str) -> Path:
    """Where a run keeps its log, states and model."""
    return results / "runs" / run


def done(results: Path, trials: Iterable[Trial]) -> dict[str, Path]:
    """The folders of the runs that have done some of these trials, under whatever name, by the run that would."""
    names: dict[str, list[str]] = {}
    for name in sorted(os.listdir(results / "runs")) if (results / "runs").is_dir() else ():
        names.setdefault(name[-8:], []).append(name)
        names.setdefault(name[-16:], []).append(name)
    looked = {trial.run: finished(results, trial, names.get(trial.key[:8], ())) for trial in trials}
    return {run: folder for run, folder in looked.items() if folder is not None}


def finished(results: Path, trial: Trial, named: Iterable[str] | None = None) -> Path | None:
    """The folder of a run that has done this trial, under whatever name; None where there is none.

    `named` are the runs whose names end like its key, for who knows them already.
    """
    if named is None:
        found = (results / "runs").glob(f"*-s{trial.seed}-{trial.key[:8]}*")
        named = sorted(folder.name for folder in found)
    for folder in [folder_of(results, trial.run), *(folder_of(results, name) for name in named)]:
        try:
            if json.loads((folder / DONE).read_bytes())["key"] == trial.key:
                return folder
        except (OSError, ValueError, KeyError):
            continue
    return None


@dataclass(frozen=True, eq=False)
class Work:
    """A trial of a plan, the log it writes, and the cache it reads; see `experiment.run` for `join` and `together`."""

    plan: Plan
    trial: Trial
    folder: Path
    log: Log
    cache: Cache
    join: Join = None
    together: int = 1

    @property
    def checked(self) -> Checked:
        """The spec with its data, labels and base."""
        return self.plan.checked

    @property
    def experiment(self) -> Experiment:
        """The spec's tables."""
        return self.plan.checked.spec.experiment

    @property
    def doubt(self) -> dict[str, Any]:
        """How the intervals of scores are made, as `measure` takes it."""
        rule = self.experiment.evaluate
        return {
            "confidence": rule.confidence,
            "resamples": rule.resamples,
            "seed": self.trial.seed,
            "method": rule.interval,
        }

    @contextmanager
    def stage(self, name: str, rows: int | None = None, **known: Any) -> Iterator[dict[str, Any]]:
        """Do a step of the plan and record it with its time; the yielded dict becomes its detail.

        `known` are fields of the record about what was done before, such as `seconds`.
        """
        step = next(each for each in self.trial.steps if each.name == name)
        detail = dict(step.detail)
        began = time.monotonic()
        yield detail
        record = {"cached": step.cached, "reason": step.reason, "seconds": time.monotonic() - began, **known}
        self.log.write("stage", name=name, key=step.key, rows=rows, detail=detail, **record)
