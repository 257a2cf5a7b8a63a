"""One experiment: check, plan, and carry out every trial that is not finished; go on with one that was stopped."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from runner.cache.cache import Cache
from runner.errors import Interrupted, RunnerError, nearest
from runner.plan.check import checker
from runner.plan.compile import Plan, Trial, compile
from runner.plan.kept import settled
from runner.plan.trials import Trials, compiled
from runner.run.signals import heard
from runner.run.trial import carry_out
from runner.run.work import DONE, ORIGIN, Join, finished, folder_of
from runner.spec.read import Sets, read
from runner.store.log import NAME, Log, attempts

LATER = (b'{"event":"grid"', b'{"event":"reproduced"', b'{"event":"review"')  # records that others add to a log


class Busy(RunnerError):
    """Another process works on the run."""


def prepared(
    file: Path,
    results: Path,
    *,
    complete: bool = True,
    sets: Sets = (),
    point: Mapping[str, Any] | None = None,
    begun: bool | None = None,
) -> Trials:
    """The plans of a spec, or of one point of its grid; SpecError with all its faults.

    If it shall be `complete`, models then write the rows that the spec asks of them, which may take hours. `sets` are
    fields that are given from outside, and their values; `begun` says whether activations of frozen layers are kept,
    where that is settled.
    """
    spec, found = read(file, sets, point), checker(results / "cache")
    checks = found.trials(spec)
    if complete and not all(loaded.complete for checked in checks for loaded in checked.loaded.values()):
        checks = checker(results / "cache", complete=True).trials(spec)
    return compiled(spec, checks, found.cache, begun)


def prepare(file: Path, results: Path, *, complete: bool = True) -> Plan:
    """The plan of a spec without a grid; of one with a grid, that of its first point."""
    return prepared(file, results, complete=complete).plans[0]


def run(
    plan: Plan,
    trial: Trial,
    results: Path,
    *,
    show: bool = True,
    stop: threading.Event | None = None,
    join: Join = None,
    together: int = 1,
) -> dict[str, Any]:
    """The result of a trial: read where it is finished, else carried out. One process at a time works on a run.

    It stops at a signal, or when somebody sets `stop`. `join` hears of the network before training, where so many
    trials `together` share their base.
    """
    folder = finished(results, trial)
    if folder is not None:
        settle(folder)
        return {**json.loads((folder / DONE).read_bytes()), "again": True}
    folder = folder_of(results, trial.run)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        with lock, listening() if stop is None else nullcontext(stop) as told:
            result = carry_out(*as_begun(plan, trial, results), results, told, show=show, join=join, together=together)
            if told.is_set():
                raise Interrupted(f"interrupted; `{trial.run}` had just finished", "run the spec again for the others")
            return result
    except Timeout:
        raise Busy(f"`{trial.run}` is being worked on by another process", "wait for it, or `runner ls`") from None


def as_begun(plan: Plan, trial: Trial, results: Path) -> tuple[Plan, Trial]:
    """Plan and trial with what an earlier attempt settled: kept activations are other roundings than computed ones."""
    try:
        begun = json.loads((folder_of(results, trial.run) / ORIGIN).read_bytes()).get("kept")
    except FileNotFoundError:
        return plan, trial
    if begun is None or begun == (plan.kept.frozen is not None):
        return plan, trial
    cache = Cache(results / "cache")
    again = compile(plan.checked, cache, *settled([plan.checked], cache, begun=begun))
    own = next(each for each in again.trials if each.key == trial.key)
    return again, replace(own, run=trial.run)


def settle(folder: Path) -> None:
    """Give a finished run its last record, if a kill came between its result and that."""
    lines = (folder / NAME).read_bytes().splitlines()
    own = [line for line in lines if not line.startswith(LATER)]
    if own and b'"run_finished"' not in own[-1]:
        log = Log(folder, folder.name, attempts(folder))
        log.write("run_finished", state="finished", seconds=None)
        log.close()


@contextmanager
def listening() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one stops at once."""
    stop = threading.Event()

    def hear(number: int, _: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    with heard(hear):
        yield stop


def stopped(results: Path, run: str) -> tuple[str, dict[str, Any]]:
    """Whole name of a run by its name or a unique beginning of it, and where it comes from: spec, seed, point, sets."""
    runs = sorted(folder.name for folder in (results / "runs").glob("*") if (folder / ORIGIN).is_file())
    found = [name for name in runs if name == run] or [name for name in runs if name.startswith(run)]
    if len(found) != 1:
        near = nearest(run, runs)
        hint = (
            f"these begin so: {', '.join(found)}"
            if found
            else (f"did you mean `{near}`?" if near else "`runner ls` lists the runs")
        )
        raise RunnerError(f"no single run `{run}` in `{results}`", hint)
    return found[0], json.loads((results / "runs" / found[0] / ORIGIN).read_bytes())


def resume(results: Path, run_name: str, *, show: bool = True) -> dict[str, Any]:
    """Go on with a run that was stopped or killed; its spec must still mean the same."""
    whole, origin = stopped(results, run_name)
    file, sets = Path(origin["spec"]), [(name, value) for name, value in origin.get("sets", ())]
    entries = prepared(file, results, sets=sets, point=origin.get("point") or None).entries
    found = [entry for entry in entries if (entry.trial.run, entry.trial.seed) == (whole, origin["seed"])]
    if not found:
        raise RunnerError(
            f"`{file}` or its data have changed since `{whole}` began, so it can't go on",
            f"restore them, or start anew with `runner run {file}`",
        )
    return run(found[0].plan, found[0].trial, results, show=show)
