"""What `runner diff` says: a spec as it is now beside what a run recorded, and whether `run` would train anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from socket import gethostname
from typing import Any

from runner import __version__
from runner.cache.cache import Cache
from runner.plan.deciding import decides
from runner.plan.trials import Entry, Trials
from runner.run.aligned import aligned
from runner.run.environment import environment
from runner.run.experiment import prepared
from runner.run.opening import flat
from runner.run.pinned import drifted, pins, shown
from runner.run.work import finished
from runner.spec.read import Sets
from runner.store.differences import MACHINES
from runner.store.differences import environment as told
from runner.store.environments import differing
from runner.store.log import encode
from runner.store.pins import pinned
from runner.store.query import query
from runner.store.records import text as worded
from runner.store.show import unique

PARAMS = "SELECT name, value FROM params WHERE run = $run AND name NOT IN ('extends', 'seed', 'seeds') ORDER BY name"
KINDS = ("spec", "data", "model", "environment")
WIDE = 48  # characters of a value that is shown

Row = dict[str, Any]


def facts(results: Path, spec: Path, word: str, sets: Sets = ()) -> dict[str, Any]:
    """Fields, contents and circumstances that differ, `was` in the run and `now`, and what `runner run` would do."""
    name = unique(results, word)
    trials = prepared(spec, results, complete=False, sets=sets)
    asked = {"run": name}
    (run,) = query(results, "SELECT run, state, seed, trial_key FROM runs WHERE run = $run", asked).to_pylist()
    was = {row["name"]: row["value"] for row in query(results, PARAMS, asked).to_pylist()} | {"seed": str(run["seed"])}
    entry = nearest(trials, run["trial_key"], was)
    found = {"spec": fields(was, entry)} | contents(results, name, trials, entry)
    return {"spec_file": str(spec), "run": name, "point": dict(entry.point), "trial": entry.trial.run} | {
        **found,
        "environment": circumstances(results, name, spec),
        **outlook(results, run, entry, found),
    }


def nearest(trials: Trials, key: str, was: Mapping[str, Any]) -> Entry:
    """The trial of the spec that is that of the run, or else the one with the fewest fields that differ."""
    same = [entry for entry in trials.entries if entry.trial.key == key]
    return same[0] if same else min(trials.entries, key=lambda entry: (len(fields(was, entry)), entry.position))


def fields(was: Mapping[str, Any], entry: Entry) -> list[Row]:
    """The fields that differ; whether they make it another trial."""
    written = flat(entry.plan.checked.spec.experiment.written())
    now = {name: worded(value) for name, value in written.items() if name not in ("extends", "seeds")}
    found = differing(was, now | {"seed": str(entry.trial.seed)})
    return [row | {"decides": decides(str(row["name"]))} for row in sorted(found, key=lambda row: str(row["name"]))]


def contents(results: Path, name: str, trials: Trials, entry: Entry) -> dict[str, list[Row]]:
    """Files of data and model that have other contents; those of a model only where the run recorded them."""
    was = pinned(results, name)
    now = pins(replace(trials, plans=(entry.plan,)), Cache(results / "cache"))
    kinds = {kind: drifted(kind, was[kind], now[kind]) if kind in was else () for kind in ("data", "model")}
    return {kind: [{"name": e.name, "was": e.was, "now": e.now} for e in found] for kind, found in kinds.items()}


def circumstances(results: Path, name: str, spec: Path) -> list[Row]:
    """Machine, program and packages that differ."""
    (row,) = query(results, MACHINES, {"runs": [name]}).to_pylist()
    now = {"environment": encode(environment(spec.parent)), "host": gethostname(), "runner": __version__}
    return differing(told(row), told(now))


def outlook(results: Path, run: Row, entry: Entry, found: Mapping[str, Sequence[Row]]) -> Row:
    """Whether `runner run` would train, and why."""
    folder = finished(results, entry.trial)
    if run["trial_key"] == entry.trial.key:
        same = f"it is the trial of `{run['run']}`"
        done = folder is not None
        return {"trains": not done, "why": f"{same}, which is done" if done else f"{same}, which is {run['state']}"}
    reasons = [row["name"] for row in found["spec"] if row["decides"]]
    reasons += [f"{kind} {row['name']}" for kind in ("data", "model") for row in found[kind]]
    why = f"another trial: {', '.join(reasons) or 'this runner makes it of the same spec and files'}"
    return {"trains": folder is None, "why": why + (f"; `{folder.name}` has done it" if folder else "")}


def text(found: Mapping[str, Any]) -> str:
    """The same for a person."""
    point = ", ".join(f"{name}={value}" for name, value in found["point"].items())
    lines = [f"was  {found['run']}", f"is   {found['spec_file']}" + (f" at {point}" if point else "")]
    for kind in KINDS:
        rows = found[kind]
        lines += ["", kind if rows else f"{kind}: nothing differs"]
        cells = [(row["name"], short(row["was"]), short(row["now"])) for row in rows]
        lines += aligned([("", "was", "is"), *cells], indent=2) if cells else []
    return "\n".join([*lines, "", f"runner run {'trains' if found['trains'] else 'trains nothing'}: {found['why']}"])


def short(value: Any) -> str:
    """A value that fits a line."""
    words = shown(value)
    return words if len(words) <= WIDE else f"{words[: WIDE - 1]}…"
