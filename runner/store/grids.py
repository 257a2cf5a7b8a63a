"""What the store knows of grids: their trials, the best of them, and how to be rid of one."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from runner.errors import RunnerError, did_you_mean
from runner.plan.selection import higher_is_better
from runner.store.ingest import rebuild
from runner.store.query import query

MEMBERS = "SELECT * EXCLUDE (grid) FROM grid_members WHERE grid = $grid ORDER BY position"
MAIN = """
    SELECT run, split, task, metric, value FROM final_scores
    WHERE run IN (SELECT run FROM grid_members WHERE grid = $grid) AND split <> 'train'
    QUALIFY row_number() OVER (PARTITION BY run, split, task ORDER BY position) = 1 ORDER BY position
"""
TASKS = "SELECT DISTINCT grid FROM grid_trials ORDER BY grid"


def members(results: Path, grid: str) -> list[dict[str, Any]]:
    """The trials of a grid in its order, with their state and what the grid sets; RunnerError for an unknown grid."""
    found = query(results, MEMBERS, {"grid": grid}).to_pylist()
    if not found:
        known = [row["grid"] for row in query(results, TASKS).to_pylist()]
        raise RunnerError(f"no grid `{grid}` in `{results}`", did_you_mean(grid, known) if known else "none is there")
    return [{**row, "point": json.loads(row["point"] or "{}")} for row in found]


def listed(results: Path, grid: str) -> list[dict[str, Any]]:
    """The same for a table: a column for each axis, and the main scores."""
    scores = main_scores(results, grid)
    return [
        {key: row[key] for key in ("run", "state", "seconds")}
        | {name: shown(value) for name, value in row["point"].items()}
        | {label: round(value, 4) for label, value in scores.get(row["run"], {}).items()}
        for row in members(results, grid)
    ]


def leaderboard(results: Path, grid: str) -> list[dict[str, Any]]:
    """The points of a grid, the best on validation first: mean and standard deviation over seeds of the main scores."""
    scores = main_scores(results, grid)
    return ranked(members(results, grid), scores)


def ranked(trials: Iterable[dict[str, Any]], scores: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """The points of trials by their first score on validation, over seeds."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in trials:
        point = {name: value for name, value in row["point"].items() if name != "seed"}
        groups.setdefault(json.dumps(point), []).append(row)
    found = [summed(json.loads(point), rows, scores) for point, rows in groups.items()]
    labels = [label for row in found for label in row if label.startswith("validation ")]
    if labels:
        sign = 1 if higher_is_better(labels[0].rpartition(".")[2]) else -1
        found.sort(key=lambda row: -sign * row[labels[0]] if labels[0] in row else math.inf)
    return [{"rank": place, **row} for place, row in enumerate(found, 1)]


def summed(point: dict[str, Any], rows: list[dict[str, Any]], scores: dict[str, dict[str, float]]) -> dict[str, Any]:
    """One line of the leaderboard."""
    done = [row for row in rows if row["state"] == "finished"]
    found: dict[str, Any] = {name: shown(value) for name, value in point.items()}
    found |= {"runs": f"{len(done)}/{len(rows)}"}
    for label in dict.fromkeys(label for row in done for label in scores.get(row["run"], ())):
        values = [scores[row["run"]][label] for row in done if label in scores.get(row["run"], {})]
        found[label] = round(fmean(values), 4)
        found[f"± {label}"] = round(stdev(values), 4) if len(values) > 1 else None
    seconds = [row["seconds"] for row in done if row["seconds"] is not None]
    return found | {"seconds": round(fmean(seconds), 1) if seconds else None}


def main_scores(results: Path, grid: str) -> dict[str, dict[str, float]]:
    """The first metric of each task on validation and test, by run."""
    found: dict[str, dict[str, float]] = {}
    for row in query(results, MAIN, {"grid": grid}).to_pylist():
        label = f"{row['split']} {row['task']}.{row['metric']}"
        found.setdefault(row["run"], {})[label] = row["value"]
    return {run: dict(sorted(each.items(), key=first)) for run, each in found.items()}


def first(labelled: tuple[str, float]) -> bool:
    """Validation before test, in the order of the scores."""
    return not labelled[0].startswith("validation")


def shown(value: Any) -> Any:
    """Tables and arrays as JSON."""
    return json.dumps(value) if isinstance(value, dict | list) else value


def delete(results: Path, grid: str) -> list[str]:
    """Remove the runs of a grid that no other grid has, and the grid; the names of the runs."""
    mine = members(results, grid)
    running = [row["run"] for row in mine if row["state"] == "running"]
    if running:
        raise RunnerError(f"{len(running)} trials of `{grid}` are running", f"`runner cancel {grid}` stops them")
    others = "SELECT run FROM grid_trials WHERE grid <> $grid"
    kept = {row["run"] for row in query(results, others, {"grid": grid}).to_pylist()}
    gone = [row["run"] for row in mine if row["run"] not in kept]
    remove(results / "runs" / run for run in gone)
    (results / "grids" / f"{grid}.json").unlink(missing_ok=True)
    rebuild(results)
    return gone


def remove(folders: Iterable[Path]) -> None:
    """Remove folders with all that is in them."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
