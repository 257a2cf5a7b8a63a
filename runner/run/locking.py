"""Locking: a file beside the spec that pins all it stands on, and the refusal to run where that has drifted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache
from runner.errors import RunnerError
from runner.plan.deciding import decides
from runner.plan.trials import Trials
from runner.run.experiment import prepared
from runner.run.opening import flat
from runner.run.pinned import Drift, Pins, drift, pins, told
from runner.spec.read import Sets
from runner.train.state import replace_text

AXES = ("grid", "search", "seeds")  # which trials there are


def place(spec: Path) -> Path:
    """Where the lock of a spec lies."""
    return spec.with_suffix(".lock")


def locked(trials: Trials, cache: Cache) -> Pins:
    """All that is pinned: fields that decide, contents of data and model, versions, and the trials made of these."""
    written = flat(trials.spec.experiment.written())
    fields = {name: value for name, value in written.items() if decides(name) or name.split(".")[0] in AXES}
    return {"spec": fields, **pins(trials, cache), "trials": {"key": trials.key}}


def lock(spec: Path, results: Path, sets: Sets = ()) -> tuple[Path, list[Drift]]:
    """Write the lock of a spec; its place, and what is pinned otherwise than before."""
    file, trials = place(spec), prepared(spec, results, complete=False, sets=sets)
    found = locked(trials, Cache(results / "cache"))
    before = read(file) if file.is_file() else None
    if before != found:
        replace_text(file, json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return file, drift(before, found) if before else []


def held(spec: Path, results: Path, sets: Sets = ()) -> None:
    """Raise RunnerError with all that has drifted from the lock of a spec; nothing is trained or written by a model."""
    file = place(spec)
    if not file.is_file():
        raise RunnerError(f"`{spec}` has no lock: `{file}` does not exist", f"`runner lock {spec}` writes it")
    before = read(file)
    trials = prepared(spec, results, complete=False, sets=sets)
    found = decisive(drift(before, locked(trials, Cache(results / "cache"))))
    if found:
        raise RunnerError(
            f"`{spec}` has drifted from `{file}`\n{told(found)}",
            f"mend it, or accept what is now: `runner lock {spec}`",
        )


def decisive(found: list[Drift]) -> list[Drift]:
    """Without the key of the trials, where something else says why that is another."""
    others = [each for each in found if each.kind != "trials"]
    return others or found


def read(file: Path) -> Pins:
    """A lock as it was written."""
    try:
        found: Any = json.loads(file.read_bytes())
        kinds = ("spec", "data", "beside", "model", "packages", "trials")
        return {kind: dict(found[kind]) for kind in kinds}
    except (OSError, ValueError, LookupError, TypeError) as error:
        again = f"write it anew: `runner lock {file.with_suffix('.toml')}`"
        raise RunnerError(f"`{file}` is no lock: {error}", again) from error
