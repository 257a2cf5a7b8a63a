"""Alone: what each task of a run scored where a finished run learned nothing else, by the same data and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner import kinds
from runner.plan.selection import higher_is_better
from runner.store.query import query

# What may differ: it says nothing of one task alone, or changes no weight.
OF_TASKS = {"metrics", "loss_weight"}
OF_DATA = {"groups", "license"}
SPLITS = ("train", "validation", "test")
OF_TRAIN = {"loss_balance", "balance_rate", "select_by", "checkpoint_minutes"}
OF_TRAIN |= {"gradient_checkpointing", "strategy", "devices"}
SPECS = """
    SELECT s.run, s.resolved::VARCHAR AS resolved FROM specs s JOIN runs r ON r.run = s.run
    WHERE (s.run = $run AND len(json_keys(s.resolved, '$.tasks')) > 1)
       OR (r.state = 'finished' AND len(json_keys(s.resolved, '$.tasks')) = 1)
"""
FILES = "SELECT run, data, split, sha256 FROM data WHERE list_contains($runs, run)"
SCORES = """
    SELECT run, split, task, metric, position, value, n FROM final_scores
    WHERE list_contains($runs, run) AND NOT contains(metric, '.')
"""

Spec = Mapping[str, Any]
Files = Mapping[str, Mapping[str, str]]


def gaps(results: Path, run: str) -> list[dict[str, Any]]:
    """Each score of a run of several tasks beside the best finished run of that task alone; [] where there is none.

    Such a run has the same files, preparation, model and `[train]`, any seed, and as many answers; the best of them has
    the best main metric. `gap` is the run's value minus the other's.
    """
    specs = {row["run"]: json.loads(row["resolved"]) for row in query(results, SPECS, {"run": run}).to_pylist()}
    spec = specs.pop(run) if len(specs.get(run, {}).get("tasks", ())) > 1 else None
    if spec is None or not specs:
        return []
    runs = {"runs": [run, *specs]}
    files: dict[str, dict[str, dict[str, str]]] = {}
    for row in query(results, FILES, runs).to_pylist():
        files.setdefault(row["run"], {}).setdefault(row["data"], {})[row["split"]] = row["sha256"]
    scores: dict[str, list[dict[str, Any]]] = {}
    for row in query(results, SCORES, runs).to_pylist():
        scores.setdefault(row["run"], []).append(row)
    found = []
    for task in spec["tasks"]:
        wanted = essence(spec, task, files.get(run, {}))
        alike = [
            other
            for other, one in specs.items()
            if essence(one, next(iter(one["tasks"])), files.get(other, {})) == wanted
        ]
        found += beside(judged(scores.get(run, []), task), {other: scores.get(other, []) for other in alike})
    return found


def essence(spec: Spec, task: str, files: Files) -> dict[str, Any]:
    """All that decides what a task alone learns, but the seed."""
    head = without(spec["tasks"][task], OF_TASKS)
    data = {name: [prepared(spec["data"][name]), files.get(name, {})] for name in head["data"]}
    train = without(spec["train"], OF_TRAIN)
    if train.get("early_stopping"):
        train["early_stopping"] = without(train["early_stopping"], {"metric"})
    mixing = spec.get("mixing") if len(head["data"]) > 1 else None
    return {"task": head, "data": data, "model": spec["model"], "train": train, "mixing": mixing}


def prepared(data: Spec) -> dict[str, Any]:
    """What is done to a data set; paths are known by what their files hold."""
    return {
        key: value for key, value in without(data, OF_DATA).items() if not (key in SPLITS and isinstance(value, str))
    }


def without(table: Spec, keys: set[str]) -> dict[str, Any]:
    """A table without some of its keys."""
    return {key: value for key, value in table.items() if key not in keys}


def judged(rows: list[dict[str, Any]], task: str) -> list[dict[str, Any]]:
    """The scores of a task on test, or on validation where it has no test; the main metric first."""
    mine = [row for row in rows if row["task"] == task and row["metric"] in kinds.names("metrics")]
    split = "test" if any(row["split"] == "test" for row in mine) else "validation"
    return sorted((row for row in mine if row["split"] == split), key=lambda row: row["position"])


def beside(mine: list[dict[str, Any]], others: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Scores of a task beside those of the best of other runs."""
    alone = {
        run: {(row["split"], row["metric"], row["n"]): row["value"] for row in rows} for run, rows in others.items()
    }
    places = [(row["split"], row["metric"], row["n"]) for row in mine]
    alone = {run: values for run, values in alone.items() if places and places[0] in values}
    if not alone:
        return []
    sign = 1 if higher_is_better(mine[0]["metric"]) else -1
    best = max(sorted(alone), key=lambda run: sign * alone[run][places[0]])
    return [
        {
            **{key: row[key] for key in ("task", "split", "metric", "value")},
            "alone": alone[best][place],
            "gap": row["value"] - alone[best][place],
            "alone_run": best,
            "alone_runs": len(alone),
        }
        for row, place in zip(mine, places, strict=True)
        if place in alone[best]
    ]
