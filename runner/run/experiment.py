"""One experiment: check, plan, and carry out every trial that is not finished; go on with one that was stopped."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from runner.errors import Interrupted, RunnerError, nearest
from runner.plan.check import checker
from runner.plan.compile import Plan, Trial, compile
from runner.run.trial import carry_out
from runner.run.work import DONE, finished, folder_of
from runner.spec.read import read
from runner.store.log import NAME, Log, attempts


def prepare(file: Path, results: Path, *, complete: bool = True) -> Plan:
    """The plan of a spec; SpecError with all its faults.

    If it shall be `complete`, models then write the rows that the spec asks of them, which may take hours.
    """
    spec, found = read(file), checker(results / "cache")
    checked = found.check(spec)
    if complete and not all(loaded.complete for loaded in checked.loaded.values()):
        checked = checker(results / "cache", complete=True).check(spec)
    return compile(checked, found.cache)


def run(plan: Plan, trial: Trial, results: Path, *, show: bool = True) -> dict[str, Any]:
    """The result of a trial: read where it is finished, else carried out. One process at a time works on a run."""
    folder = finished(results, trial)
    if folder is not None:
        settle(folder)
        return {**json.loads((folder / DONE).read_bytes()), "again": True}
    folder = folder_of(results, trial.run)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        with lock, listening() as stop:
            result = carry_out(plan, trial, results, stop, show=show)
            if stop.is_set():
                raise Interrupted(f"interrupted; `{trial.run}` had just finished", "run the spec again for the others")
            return result
    except Timeout:
        raise RunnerError(
            f"`{trial.run}` is being worked on by another process", "wait for it, or `runner ls`"
        ) from None


def settle(folder: Path) -> None:
    """Give a finished run its last record, if a kill came between its result and that."""
    lines = (folder / NAME).read_bytes().splitlines()
    if lines and b'"run_finished"' not in lines[-1]:
        log = Log(folder, folder.name, attempts(folder))
        log.write("run_finished", state="finished", seconds=None)
        log.close()


@contextmanager
def listening() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one stops at once."""
    stop = threading.Event()

    def heard(number: int, _: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stopped(results: Path, run: str) -> tuple[str, Path, int]:
    """Whole name, spec file and seed of a run by its name or a unique beginning of it."""
    runs = sorted(folder.name for folder in (results / "runs").glob("*") if (folder / "origin.json").is_file())
    found = [name for name in runs if name == run] or [name for name in runs if name.startswith(run)]
    if len(found) != 1:
        near = nearest(run, runs)
        hint = (
            f"these begin so: {', '.join(found)}"
            if found
            else (f"did you mean `{near}`?" if near else "`runner ls` lists the runs")
        )
        raise RunnerError(f"no single run `{run}` in `{results}`", hint)
    origin = json.loads((results / "runs" / found[0] / "origin.json").read_bytes())
    return found[0], Path(origin["spec"]), int(origin["seed"])


def resume(results: Path, run_name: str, *, show: bool = True) -> dict[str, Any]:
    """Go on with a run that was stopped or killed; its spec must still mean the same."""
    whole, file, seed = stopped(results, run_name)
    plan = prepare(file, results)
    trials = [trial for trial in plan.trials if (trial.run, trial.seed) == (whole, seed)]
    if not trials:
        raise RunnerError(
            f"`{file}` or its data have changed since `{whole}` began, so it can't go on",
            f"restore them, or start anew with `runner run {file}`",
        )
    return run(plan, trials[0], results, show=show)
