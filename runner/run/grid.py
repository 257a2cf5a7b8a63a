"""Grid: all trials of a spec, of which those that are finished stay, carried out in workers or one after the other."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache
from runner.errors import Interrupted, RunnerError
from runner.plan.trials import Entry, Trials
from runner.run.best import value
from runner.run.board import Board
from runner.run.cancel import coordinating
from runner.run.coordinator import Coordinator
from runner.run.encoding import encoded
from runner.run.enrol import enrol
from runner.run.experiment import run, settle
from runner.run.member import Mute
from runner.run.search import Search
from runner.run.supply import Queue
from runner.run.work import DONE, Work, done, folder_of
from runner.spec.read import Sets

Told = Callable[[dict[str, Any]], None] | None


def carry_out(trials: Trials, results: Path, sets: Sets, told: Told) -> list[dict[str, Any]]:
    """The results of all trials, those that were finished included; `told` hears each that this process does itself.

    Raises RunnerError where some failed, after all others ended, and Interrupted where somebody stopped it.
    """
    finished = done(results, (entry.trial for entry in trials.entries))
    todo = [entry for entry in trials.entries if entry.trial.run not in finished]
    names = {run: folder.name for run, folder in finished.items()}
    if trials.spec.experiment.search is not None:
        with coordinating(results, trials.name):
            return searched(trials, results, sets)
    if not together(trials):
        return [one(entry, results, told) for entry in trials.entries]
    with coordinating(results, trials.name):
        enrol(trials, results, names)
        return worked(trials, todo, names, results, sets)


def worked(
    trials: Trials, todo: Sequence[Entry], names: dict[str, str], results: Path, sets: Sets
) -> list[dict[str, Any]]:
    """The results of all trials, after workers have done what was to do."""
    prepare(todo, results)
    board = Board(trials, results, names)
    coordinator = Coordinator(trials, Queue(todo), results, sets, board.show)
    try:
        if todo:
            coordinator.conduct()
    finally:
        board.close()
    entries = [coordinator.instead.get(entry.trial.run, entry) for entry in trials.entries]
    found = [
        read(folder) | {"again": run in names} for run, folder in done(results, (e.trial for e in entries)).items()
    ]
    judge(coordinator, trials)
    keep(trials, found, results)
    return found


def searched(trials: Trials, results: Path, sets: Sets) -> list[dict[str, Any]]:
    """The results of the trials of a search, those of earlier processes included; pruned ones have none."""
    supply, board = Search(trials, results, sets), Board(trials, results, {})
    coordinator = Coordinator(trials, supply, results, sets, board.show)
    try:
        coordinator.conduct()
    finally:
        board.close()
    folders = done(results, (entry.trial for entry in supply.entries))
    found = [read(folder) | {"again": run not in coordinator.ended} for run, folder in folders.items()]
    judge(coordinator, trials)
    keep(trials, found, results)
    return found


def together(trials: Trials) -> bool:
    """Whether workers do it: for a grid or a search, or where several are asked for."""
    experiment = trials.spec.experiment
    several = not trials.alone and (bool(trials.spec.variants) or experiment.execute.workers > 1)
    return several or experiment.search is not None


def one(entry: Entry, results: Path, told: Told) -> dict[str, Any]:
    """One trial in this process."""
    print(f"run {entry.trial.run}", file=sys.stderr)
    found = run(entry.plan, entry.trial, results)
    if told:
        told(found)
    return found


def prepare(todo: Sequence[Entry], results: Path) -> None:
    """Make what several trials need once, before the first begins: the tokens of each data set."""
    seen: set[str] = set()
    mute: Any = Mute()
    for entry in todo:
        missing = {step.key for step in entry.trial.steps if step.name.startswith("encode") and not step.cached}
        if missing - seen:
            seen |= missing
            encoded(Work(entry.plan, entry.trial, folder_of(results, entry.trial.run), mute, Cache(results / "cache")))


def read(folder: Path) -> dict[str, Any]:
    """The result of a finished run."""
    settle(folder)
    found: dict[str, Any] = json.loads((folder / DONE).read_bytes())
    return found


def judge(coordinator: Coordinator, trials: Trials) -> None:
    """Raise what a grid that is not whole means."""
    bad = {run: each for run, each in coordinator.ended.items() if each.state not in ("finished", "pruned")}
    bad = {run: each for run, each in bad.items() if run not in coordinator.instead}
    left = coordinator.left
    again = f"`runner run {trials.spec.file}` goes on with what is left"
    if coordinator.stops:
        stopped = sum(each.state == "interrupted" for each in bad.values())
        raise Interrupted(f"stopped: {stopped} trials saved their state, {left} never began", again)
    if bad:
        first = "\n".join(f"  {run}: {each.state}, {each.message}" for run, each in list(bad.items())[:5])
        more = f"\n  and {len(bad) - 5} more" if len(bad) > 5 else ""
        never = f", {left} never began" if left else ""
        raise RunnerError(f"{len(bad)} of {len(trials.entries)} trials did not finish{never}\n{first}{more}", again)


def keep(trials: Trials, found: Sequence[dict[str, Any]], results: Path) -> None:
    """Remove the models that the spec does not want to keep; the runs and their scores stay."""
    rule = trials.spec.experiment.execute.keep
    if rule == "all" or not found:
        return
    best = max(found, key=value)["run"] if rule == "best" else None
    for each in found:
        if each["run"] != best:
            shutil.rmtree(folder_of(results, each["run"]) / "model", ignore_errors=True)
