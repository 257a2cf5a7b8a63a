"""`runner report`: the facts of the store, scorecards, and what the cache knows of the rows: profiles and groups."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache
from runner.data.load import contents_of
from runner.data.tables import mapped
from runner.profile.profiles import FILE
from runner.run.mistakes import erring
from runner.run.scorecard import judged
from runner.store.facts import facts as stored
from runner.store.findings import asked
from runner.store.query import Ask, asking

GROUPS = 20  # of a task, the largest
MISTAKES = 10  # of each kind that are explained

STAGES = """
    SELECT run, string_split(name, ' ')[1] AS stage, string_split(name, ' ')[2] AS data, key FROM stages
    WHERE list_contains($runs, run) AND string_split(name, ' ')[1] IN ('split', 'balance', 'augment')
    ORDER BY run, time
"""
SPECS = "SELECT run, resolved FROM specs WHERE list_contains($runs, run)"
ANSWERS = """
    SELECT id, (gold = predicted)::INT AS right,
           abs(TRY_CAST(gold AS DOUBLE) - TRY_CAST(predicted AS DOUBLE)) AS error
    FROM answers WHERE list_contains($runs, run) AND task = $task AND split = $split ORDER BY position
"""

Keys = Mapping[tuple[str, str], str]


def facts(results: Path, words: Sequence[str]) -> dict[str, Any]:
    """All that the page shows, as JSON values."""
    found = stored(results, words)
    with asking(results) as ask:
        add(found, Cache(results / "cache"), ask)
    return found


def add(found: dict[str, Any], cache: Cache, ask: Ask) -> None:
    """Add profiles to the data, scorecards to runs, and groups and what explains errors to their tasks."""
    runs = [run["run"] for run in found["runs"]]
    keys: dict[str, dict[tuple[str, str], str]] = {}
    for row in asked(ask, STAGES, runs):
        keys.setdefault(row["run"], {})[row["data"], row["stage"]] = row["key"]
    specs = {row["run"]: json.loads(row["resolved"] or "{}") for row in asked(ask, SPECS, runs)}
    for each in found["data"]:
        each["profiles"] = profiled(cache, keys.get(each["runs"][0], {}))
    for run in found["runs"]:
        name = run["run"]
        run["scorecard"] = judged(ask, name)
        wrong = erring(ask, cache, name, MISTAKES)
        for task in run["tasks"]:
            task["errors"] = wrong.get(task["task"])
            task["groups"] = grouped(ask, cache, name, task, specs.get(name, {}), keys.get(name, {}))


def profiled(cache: Cache, keys: Keys) -> dict[str, dict[str, Any]]:
    """The profile of each split of each data set, where `runner data` was asked about these very rows."""
    known = dict(profiles(cache.folder / "profile"))
    found: dict[str, dict[str, Any]] = {}
    for data in [data for data, stage in keys if stage == "split"]:
        held = contents(cache, keys, data)
        if any(key in known for key in held.values()):
            found[data] = {split: known[key] for split, key in held.items() if key in known}
    return found


def profiles(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The profiles of the cache with what they are of, the newest last."""
    for entry in sorted(folder.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime):
        try:
            yield json.loads(entry.read_bytes())["inputs"]["rows"], json.loads((entry.parent / FILE).read_bytes())
        except (OSError, ValueError, KeyError):
            continue


def contents(cache: Cache, keys: Keys, data: str) -> dict[str, str]:
    """What tells the rows of each split of a data set; empty where the cache has them no more."""
    files = cache.manifest("split", keys[data, "split"]).get("files", {})
    found = contents_of(files, [split for split in ("train", "validation", "test") if f"{split}.arrow" in files])
    last = [keys[data, stage] for stage in ("balance", "augment") if (data, stage) in keys]
    return found | ({"train": last[-1]} if last and found else {})


def grouped(
    ask: Ask, cache: Cache, run: str, task: Mapping[str, Any], spec: Mapping[str, Any], keys: Keys
) -> dict[str, Any] | None:
    """How good the answers of a task are by the column that `groups` names, the largest groups first."""
    sets = spec.get("tasks", {}).get(task["task"], {}).get("data", [])
    columns = {data: spec["data"][data].get("groups") for data in sets}
    groups: dict[str, str] = {}
    for data, column in columns.items():
        if column and (data, "split") in keys:
            groups |= members(cache, keys[data, "split"], task["split"], column)
    if not groups:
        return None
    found: dict[str, list[dict[str, Any]]] = {}
    for row in asked(ask, ANSWERS, [run], task=task["task"], split=task["split"]):
        if row["id"] in groups:
            found.setdefault(groups[row["id"]], []).append(row)
    largest = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    measured = task["shape"] == "quantities"
    rows = [
        {
            "group": name,
            "n": len(each),
            "right": mean(each, "right"),
            "error": mean(each, "error") if measured else None,
        }
        for name, each in largest
    ]
    column = ", ".join(dict.fromkeys(filter(None, columns.values())))
    return {"column": column, "rows": rows[:GROUPS], "left_out": max(0, len(rows) - GROUPS)} if rows else None


def members(cache: Cache, key: str, split: str, column: str) -> dict[str, str]:
    """The group of each row of a split by its id; empty where the cache has it no more."""
    entry = cache.find("split", key)
    path = entry / f"{split}.arrow" if entry else None
    if path is None or not path.is_file():
        return {}
    table = mapped(path)
    if column not in table.column_names:
        return {}
    return dict(zip(table["id"].to_pylist(), map(str, table[column].to_pylist()), strict=True))


def mean(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """The mean of a column without its gaps."""
    known = [row[name] for row in rows if row[name] is not None]
    return sum(known) / len(known) if known else None
