"""Named: what a word means that may be a run, a grid, an experiment or the file of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runner.errors import RunnerError, nearest
from runner.store.query import query

ALL = "SELECT run, name, state, seed, setting FROM runs JOIN settings USING (run) ORDER BY started, run"
MEMBERS = "SELECT run FROM grid_members WHERE grid = $name ORDER BY position"
LATEST = "SELECT plan_key FROM runs WHERE name = $name ORDER BY started DESC NULLS LAST, run LIMIT 1"
OWN = """
    SELECT s.run FROM settings s JOIN runs r ON r.run = s.run
    WHERE s.setting IN (SELECT setting FROM settings JOIN runs USING (run) WHERE name = $name AND plan_key = $plan)
      AND (r.name = $name AND r.plan_key = $plan OR EXISTS (
          FROM params p JOIN runs o ON o.run = p.run
          WHERE o.name = $name AND o.plan_key = $plan AND p.name = 'seeds'
            AND list_contains(from_json(coalesce(p.value, '[]'), '["BIGINT"]'), r.seed)))
    ORDER BY r.seed, r.run
"""
PARAMS = "SELECT run, name, value, number FROM params WHERE list_contains($runs, run)"


class Named(NamedTuple):
    """One side of a comparison: the word that named it, and its finished runs; a single run if it names only that."""

    word: str
    runs: tuple[str, ...]


def named(results: Path, word: str) -> Named:
    """What a word names; after a colon it may say which points are meant: `grid:train.epochs=3,model.adapter.rank=8`.

    The name of a run comes first, then that of a grid or an experiment, then a unique beginning of a run's name.
    """
    known = query(results, ALL).to_pylist()
    states = {row["run"]: row["state"] for row in known}
    name, _, point = word.partition(":")
    if name.endswith(".toml") and Path(name).is_file():
        from runner.spec.read import read

        name = read(Path(name)).experiment.name
    runs = [name] if name in states else members(results, name) or begun(name, states)
    if not runs:
        raise unknown(word, name, known)
    if point:
        runs = at(results, word, point, runs)
    finished = tuple(run for run in runs if states.get(run) == "finished")
    if not finished:
        raise RunnerError(f"`{word}` has no finished run", f"{told(states, runs)}; `runner ls` shows all")
    return Named(word, finished)


def members(results: Path, name: str) -> list[str]:
    """The runs of a grid, or of an experiment as it was last planned: also those that others had done for it."""
    found = query(results, MEMBERS, {"name": name}).to_pylist()
    if not found:
        latest = query(results, LATEST, {"name": name}).to_pylist()
        asked = {"name": name, "plan": latest[0]["plan_key"] if latest else None}
        found = query(results, OWN, asked).to_pylist() if latest else []
    return [row["run"] for row in found]


def begun(word: str, states: Mapping[str, str]) -> list[str]:
    """The only run whose name begins so; RunnerError where there are several."""
    found = [run for run in states if word and run.startswith(word)]
    if len(found) > 1:
        raise RunnerError(f"`{word}` names {len(found)} runs", "did you mean one of " + quoted(found[:10]))
    return found


def unknown(word: str, name: str, known: list[dict[str, Any]]) -> RunnerError:
    """A word that names nothing, and what may have been meant."""
    names = dict.fromkeys([*(row["run"] for row in known), *(row["name"] for row in known if row["name"])])
    near = nearest(name, names)
    hint = f"did you mean `{near}`?" if near else "`runner ls` lists the runs"
    return RunnerError(f"`{word}` names no run, grid or experiment", hint)


def at(results: Path, word: str, point: str, runs: list[str]) -> list[str]:
    """The runs whose spec has these values."""
    fields: dict[str, dict[str, tuple[str | None, float | None]]] = {run: {} for run in runs}
    for row in query(results, PARAMS, {"runs": runs}).to_pylist():
        fields[row["run"]][row["name"]] = row["value"], row["number"]
    for each in point.split(","):
        field, _, value = each.partition("=")
        known = {name for run in runs for name in fields[run]}
        if field not in known:
            near = nearest(field, known)
            raise RunnerError(f"`{word}`: no run has a field `{field}`", f"did you mean `{near}`?" if near else "")
        values = quoted(sorted({str(fields[run][field][0]) for run in runs if field in fields[run]}))
        runs = [run for run in runs if field in fields[run] and equal(*fields[run][field], value)]
        if not runs:
            raise RunnerError(f"`{word}`: no run has {field} = {value}", f"there are {values}")
    return runs


def equal(text: str | None, number: float | None, value: str) -> bool:
    """Whether a field has a value as it was typed."""
    try:
        return text == value or (number is not None and float(value) == number)
    except ValueError:
        return False


def told(states: Mapping[str, str], runs: list[str]) -> str:
    """The states of runs."""
    return ", ".join(f"`{run}` is {states.get(run, 'planned')}" for run in runs[:5])


def quoted(names: list[str]) -> str:
    """Names in a row."""
    return ", ".join(f"`{name}`" for name in names)
