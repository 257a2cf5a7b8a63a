"""Boards: the runs of a grid or an experiment side by side, the best on validation first, and what its axes did."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any, TypeAlias

from runner.plan.selection import higher_is_better
from runner.store import grids
from runner.store.findings import COURSE, asked
from runner.store.grids import shown
from runner.store.query import Ask

FIELDS = 8  # that differ between runs of no grid, at most
VALUES = 8  # of an axis that are told one by one; more numbers are put into ranges
RANGES = 4

Board: TypeAlias = dict[str, Any]
Row: TypeAlias = dict[str, Any]

RUNS = """
    SELECT a.run, coalesce(r.state, 'planned') AS state, r.seed, r.attempts, round(r.seconds, 1) AS seconds,
           strftime(r.started, '%Y-%m-%d %H:%M:%S') AS started, g.point
    FROM (SELECT unnest($runs) AS run) a LEFT JOIN runs r ON r.run = a.run
    LEFT JOIN (SELECT run, arg_max(point, time) AS point FROM grid_trials
               WHERE grid = $grid GROUP BY run) g ON g.run = a.run
"""
MAIN = """
    SELECT run, split, task, metric, value, low, high, n, baseline_majority AS majority, baseline_tfidf AS tfidf,
           before_training AS before
    FROM final_scores WHERE list_contains($runs, run) AND split <> 'train'
    QUALIFY row_number() OVER (PARTITION BY run, split, task ORDER BY position) = 1
"""
ORDER = """
    SELECT run, list_position(json_keys(resolved, '$.tasks'), task) AS place, task
    FROM (SELECT run, resolved, unnest(json_keys(resolved, '$.tasks')) AS task FROM specs
          WHERE list_contains($runs, run))
"""
DIFFERING = """
    SELECT run, name, value FROM params WHERE list_contains($runs, run) AND name NOT IN ('name', 'description', 'seed')
    QUALIFY count(DISTINCT coalesce(value, '')) OVER (PARTITION BY name) > 1
    ORDER BY name
"""
PROGRESS = f"""
    {COURSE} SELECT run, step, value FROM course
    WHERE split = 'validation' AND task = $task AND metric = $metric ORDER BY run, step
"""


def board(ask: Ask, title: str, grid: str, runs: Sequence[str]) -> Board:
    """The runs with what tells them apart, the main score of each task on validation and test, and their ranks."""
    found = asked(ask, RUNS, runs, grid=grid)
    scores = main_scores(ask, runs)
    labels = in_order(ask, runs, scores)
    points = pointed(ask, found)
    for row in found:
        row["point"], row["scores"] = points.get(row["run"], {}), scores.get(row["run"], {})
    by = next((label for label in labels if label["split"] == "validation"), labels[0] if labels else None)
    ranked(found, by)
    fields = list(dict.fromkeys(name for row in found for name in row["point"]))
    return {
        "title": title,
        "grid": grid,
        "by": by,
        "labels": labels,
        "fields": fields,
        "rows": found,
        "points": points_of(found, labels) if grid and repeated(found) else [],
        "axes": [axis(field, found, by) for field in fields if by and differs(field, found, by)],
        "progress": progress(ask, [row["run"] for row in found], by),
    }


def points_of(rows: Sequence[Row], labels: Sequence[Row]) -> list[Row]:
    """What `runner leaderboard` says of these runs."""
    keys = [label["key"] for label in labels]
    scores = {row["run"]: {key: row["scores"][key]["value"] for key in keys if key in row["scores"]} for row in rows}
    return grids.ranked(rows, scores)


def main_scores(ask: Ask, runs: Sequence[str]) -> dict[str, dict[str, Row]]:
    """The first metric of each task on each split, by run and then `split task.metric`."""
    found: dict[str, dict[str, Row]] = {}
    for row in asked(ask, MAIN, runs):
        found.setdefault(row.pop("run"), {})[named(row)] = row
    return found


def named(score: Mapping[str, Any]) -> str:
    """The key of a score among those of a run."""
    return f"{score['split']} {score['task']}.{score['metric']}"


def in_order(ask: Ask, runs: Sequence[str], scores: Mapping[str, Mapping[str, Row]]) -> list[Row]:
    """All scores that runs have: validation before test, tasks as in the spec."""
    places = {row["task"]: row["place"] for row in asked(ask, ORDER, runs)}
    known = {key: row for each in scores.values() for key, row in each.items()}
    ordered = sorted(known, key=lambda key: (known[key]["split"] != "validation", places.get(known[key]["task"], 0)))
    return [
        {
            "key": key,
            **{name: known[key][name] for name in ("split", "task", "metric")},
            "higher": higher_is_better(known[key]["metric"]),
        }
        for key in ordered
    ]


def pointed(ask: Ask, rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """What tells each run apart: what its grid sets, or else the fields of specs that differ."""
    if any(row["point"] for row in rows):
        points = {row["run"]: json.loads(row["point"] or "{}") for row in rows}
        return {
            run: {key: shown(value) for key, value in each.items() if key != "seed"} for run, each in points.items()
        }
    found: dict[str, dict[str, Any]] = {}
    known: dict[str, None] = {}
    for row in asked(ask, DIFFERING, [each["run"] for each in rows]):
        if row["name"] in known or len(known) < FIELDS:
            known[row["name"]] = None
            found.setdefault(row["run"], {})[row["name"]] = number(row["value"])
    return found


def number(value: str | None) -> Any:
    """A value of the spec as a number where it is one."""
    try:
        return json.loads(value or "", parse_constant=str)
    except ValueError:
        return value


def ranked(rows: list[Row], by: Row | None) -> None:
    """Sort by a score, the best first and those without it last; rank counts from 1, 0 stands for none."""
    sign = -1 if by and by["higher"] else 1

    def place(row: Row) -> tuple[float, str, str]:
        value = score(row, by)
        return (math.inf if value is None else sign * value, row["started"] or "~", row["run"])

    rows.sort(key=place)
    for at, row in enumerate(rows, 1):
        row["rank"] = at if score(row, by) is not None else 0


def score(row: Row, by: Row | None) -> float | None:
    """The score that ranks; None where a run has none."""
    return row["scores"][by["key"]]["value"] if by and by["key"] in row["scores"] else None


def repeated(rows: Sequence[Row]) -> bool:
    """Whether a point was run with several seeds."""
    return len({json.dumps(row["point"]) for row in rows}) < len(rows)


def differs(field: str, rows: Sequence[Row], by: Row) -> bool:
    """Whether runs with a score have several values of a field."""
    return len({str(row["point"].get(field)) for row in rows if score(row, by) is not None}) > 1


def axis(field: str, rows: Sequence[Row], by: Row) -> dict[str, Any]:
    """What each value of a field came to: how many runs, their mean, their best; and how much of the variance is its.

    `share` is adjusted for the number of values, so that values drawn at random explain about 0; None where runs are
    too few for it.
    """
    values = [(row["point"].get(field), value) for row in rows if (value := score(row, by)) is not None]
    groups = grouped(values)
    scores = [value for _, value in values]
    inside = sum((value - fmean(each)) ** 2 for each in groups.values() for value in each)
    whole = sum((value - fmean(scores)) ** 2 for value in scores)
    free = len(scores) - len(groups)
    share = 1 - (inside / free) / (whole / (len(scores) - 1)) if free > 0 and whole > 0 else None
    best = max if by["higher"] else min
    return {
        "field": field,
        "share": None if share is None else max(0.0, share),
        "values": [
            {"value": name, "runs": len(each), "mean": fmean(each), "best": best(each)} for name, each in groups.items()
        ],
    }


def grouped(values: Sequence[tuple[Any, float]]) -> dict[str, list[float]]:
    """Scores by value; many numbers are put into ranges of about equally many runs."""
    known = sorted({value for value, _ in values}, key=order)
    groups: dict[str, list[float]] = {}
    if len(known) <= VALUES or not all(numeric(value) for value in known):
        for value in known:
            groups[said(value)] = [score for each, score in values if each == value]
        return groups
    ordered = sorted(values, key=lambda pair: pair[0])
    cuts = [round(len(ordered) * place / RANGES) for place in range(RANGES + 1)]
    for start, end in pairwise(cuts):
        part = ordered[start:end]
        groups[f"{said(part[0][0])} to {said(part[-1][0])}"] = [score for _, score in part]
    return groups


def numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def order(value: Any) -> tuple[bool, float, str]:
    """Numbers by size, then everything else by its words."""
    return (not numeric(value), value if numeric(value) else 0.0, str(value))


def said(value: Any) -> str:
    """A value in words."""
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def progress(ask: Ask, runs: Sequence[str], by: Row | None) -> list[dict[str, Any]]:
    """How the score that ranks went on validation in each run, in the order of the runs."""
    found: dict[str, list[list[float]]] = {}
    if by:
        for row in asked(ask, PROGRESS, runs, task=by["task"], metric=by["metric"]):
            found.setdefault(row["run"], []).append([row["step"], row["value"]])
    return [{"run": run, "points": found[run]} for run in runs if run in found]
