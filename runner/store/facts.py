"""Facts: all that a report tells of the runs that somebody asks about, by SQL, as JSON values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.errors import RunnerError, nearest
from runner.store.boards import Board, board
from runner.store.findings import asked, curves, samples, tasks
from runner.store.grids import TASKS
from runner.store.query import Ask, asking, query, records
from runner.store.show import unique

BEST = 3  # runs of a grid that are told in full
MOST = 12  # runs that are told in full where nobody named them

STATES = "SELECT state, count(*) AS count FROM runs WHERE list_contains($runs, run) GROUP BY state ORDER BY state"
ABOUT = """
    SELECT r.run, r.name, r.description, r.state, r.seed, r.attempts, r.seconds, r.spec_file, r.git_commit, r.git_dirty,
           r.version, strftime(r.started, '%Y-%m-%d %H:%M:%S') AS started, s.text AS spec
    FROM runs r LEFT JOIN specs s ON s.run = r.run WHERE list_contains($runs, r.run)
"""
FAILED = """
    SELECT r.run, r.state, f.attempt, f.kind, f.message, f.trace, f.step,
           strftime(coalesce(f.time, r.finished, r.started), '%Y-%m-%d %H:%M:%S') AS time
    FROM runs r LEFT JOIN failures f ON f.run = r.run
    WHERE list_contains($runs, r.run) AND (f.run IS NOT NULL OR r.state IN ('failed', 'lost', 'interrupted'))
    ORDER BY time, r.run
"""
MACHINES = """
    SELECT run, environment FROM attempts WHERE list_contains($runs, run) AND environment IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY run ORDER BY attempt DESC) = 1 ORDER BY run
"""
FILES = """
    SELECT run, data, split, file, rows, bytes, sha256 FROM data WHERE list_contains($runs, run)
    ORDER BY run, data, array_position(['train', 'validation', 'test'], split)
"""
PREPARED = """
    SELECT run, stage, step, split, rows, kept, changed, made, dropped, flagged FROM preparation
    WHERE list_contains($runs, run)
    QUALIFY attempt = max(attempt) OVER (PARTITION BY run)
    ORDER BY run, array_position(['clean', 'split', 'balance', 'augment'], string_split(stage, ' ')[1]), stage, position
"""
GRIDS = "SELECT grid, list(run ORDER BY position) AS runs FROM grid_members GROUP BY grid ORDER BY grid"
NAMES = "SELECT name, list(run ORDER BY started, run) AS runs FROM runs GROUP BY name ORDER BY min(started), name"


def facts(results: Path, words: Sequence[str] = ()) -> dict[str, Any]:
    """What is known of these grids and runs, or of the whole store: boards, runs in full, failures, environments."""
    alone = named(results, words)
    with asking(results) as ask:
        boards = [board(ask, *each) for each in asked_for(ask, words, alone)]
        runs = list(dict.fromkeys(row["run"] for each in boards for row in each["rows"]))
        full = in_full(boards, alone)
        machines = {row["run"]: machine(row["environment"]) for row in asked(ask, MACHINES, full)}
        return {
            "title": ", ".join(dict.fromkeys(words)) or "all runs",
            "time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "states": {row["state"]: row["count"] for row in asked(ask, STATES, runs)},
            "boards": boards,
            "runs": told(ask, full),
            "failures": asked(ask, FAILED, runs),
            "environments": alike(machines),
            "data": alike(data(ask, full)),
        }


def asked_for(ask: Ask, words: Sequence[str], alone: list[str]) -> list[tuple[str, str, list[str]]]:
    """What gets a board: a title, the grid if it is one, and the runs. Runs that are named one by one share a board."""
    grids = {row["grid"]: row["runs"] for row in records(ask(GRIDS))}
    if words:
        chosen = [(word, word, grids[word]) for word in dict.fromkeys(words) if word in grids]
        return chosen + ([("Runs", "", alone)] if alone else [])
    within = {run for runs in grids.values() for run in runs}
    known = {row["name"] or "no name": row["runs"] for row in records(ask(NAMES))}
    names = {name: [run for run in runs if run not in within] for name, runs in known.items()}
    others = [(f"{name}, other runs" if name in grids else name, "", runs) for name, runs in names.items() if runs]
    return [(grid, grid, runs) for grid, runs in grids.items()] + others


def named(results: Path, words: Sequence[str]) -> list[str]:
    """The runs that words name which name no grid; RunnerError where one names none, or several."""
    grids = [row["grid"] for row in query(results, TASKS).to_pylist()]
    found = []
    for word in [word for word in words if word not in grids]:
        try:
            found.append(unique(results, word))
        except RunnerError as error:
            near = nearest(word, grids)
            raise RunnerError(error.message, f"did you mean the grid `{near}`?" if near else error.hint) from error
    return list(dict.fromkeys(found))


def in_full(boards: Sequence[Board], alone: Sequence[str]) -> list[str]:
    """The runs to tell in full: those named, else the best of each board."""
    few = BEST if len(boards) == 1 else 1
    best = [row["run"] for each in boards for row in [row for row in each["rows"] if row["rank"]][:few]]
    return list(alone) + [run for run in best if run not in alone][: max(0, MOST - len(alone))]


def told(ask: Ask, runs: Sequence[str]) -> list[dict[str, Any]]:
    """Each run in full, in the order given."""
    about = {row["run"]: row for row in asked(ask, ABOUT, runs)}
    parts = {"tasks": tasks(ask, runs), "curves": curves(ask, runs), "samples": samples(ask, runs)}
    full = {run: {name: each.get(run, []) for name, each in parts.items()} for run in runs if run in about}
    return [about[run] | each | {"scorecard": None} for run, each in full.items()]


def data(ask: Ask, runs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The files that each run read, and what preparation did to their rows."""
    found: dict[str, dict[str, Any]] = {}
    for name, sql in (("files", FILES), ("steps", PREPARED)):
        for row in asked(ask, sql, runs):
            each = found.setdefault(row.pop("run"), {"files": [], "steps": [], "profiles": {}})
            each[name].append(
                {key: decoded(value) if key in ("dropped", "flagged") else value for key, value in row.items()}
            )
    return found


def alike(each: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What several runs have in common is told once, with the runs."""
    found: list[dict[str, Any]] = []
    for run, value in each.items():
        same = next((one for one in found if {**one, "runs": []} == {**value, "runs": []}), None)
        if same is None:
            found.append({"runs": [run], **value})
        else:
            same["runs"].append(run)
    return found


def machine(environment: str) -> dict[str, Any]:
    """An environment without the commit, which is told with the run."""
    return {name: value for name, value in decoded(environment).items() if not name.startswith("git_")}


def decoded(value: str | None) -> Any:
    """A column of JSON."""
    return json.loads(value) if value else {}
