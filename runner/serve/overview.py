"""The overview: grids and lone runs with their states and best scores, and how far those are that run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from runner.plan.selection import higher_is_better
from runner.store.query import Ask, records

RUNS = """
    SELECT r.run, coalesce(r.name, 'no name') AS name, r.state, strftime(r.started, '%Y-%m-%d %H:%M:%S') AS started,
           round(r.seconds, 1) AS seconds, s.split, s.task, s.metric, s.value, s.low, s.high
    FROM runs r LEFT JOIN (
        SELECT * FROM final_scores WHERE position = 0 AND split <> 'train'
        QUALIFY row_number() OVER (PARTITION BY run ORDER BY split <> 'validation', task) = 1
    ) s ON s.run = r.run
    ORDER BY r.started DESC NULLS LAST, r.run
"""
MEMBERS = "SELECT grid, run, state FROM grid_members ORDER BY grid, position"
LIVE = """
    SELECT l.run, l.epoch, l.step, l.loss, l.seconds, l.silent, try_cast(p.value AS DOUBLE) AS epochs
    FROM live l LEFT JOIN params p ON p.run = l.run AND p.name = 'train.epochs' ORDER BY l.run
"""

Row = dict[str, Any]


def overview(ask: Ask) -> Row:
    """Counts by state, trials at work, grids and the runs of none; newest first."""
    runs = {row["run"]: row for row in records(ask(RUNS))}
    grids: dict[str, list[tuple[str, str]]] = {}
    for row in records(ask(MEMBERS)):
        grids.setdefault(row["grid"], []).append((row["run"], row["state"]))
    within = {run for members in grids.values() for run, _ in members}
    return {
        "states": dict(Counter(row["state"] for row in runs.values())),
        "live": [at_work(row) for row in records(ask(LIVE))],
        "grids": sorted(
            (summed(grid, members, runs) for grid, members in grids.items()),
            key=lambda each: each["started"] or "9",
            reverse=True,
        ),
        "runs": [row for run, row in runs.items() if run not in within],
    }


def at_work(row: Row) -> Row:
    """A run that runs, with the share of its epochs that is done where that is known."""
    known = row["epochs"] and row["epoch"] is not None
    return row | {"share": min(1.0, row["epoch"] / row["epochs"]) if known else None}


def summed(grid: str, members: Sequence[tuple[str, str]], runs: Mapping[str, Row]) -> Row:
    """A line about a grid: its trials by state, when it last began one, and its best run."""
    known = [runs[run] for run, _ in members if run in runs]
    return {
        "grid": grid,
        "trials": len(members),
        "states": dict(Counter(state for _, state in members)),
        "started": max((row["started"] for row in known if row["started"]), default=None),
        "best": best(known),
    }


def best(rows: Sequence[Row]) -> Row | None:
    """The best run by the score that most of them have."""
    kinds = Counter((row["split"], row["task"], row["metric"]) for row in rows if row["value"] is not None)
    if not kinds:
        return None
    (kind, _), *_ = kinds.most_common(1)
    same = [row for row in rows if (row["split"], row["task"], row["metric"]) == kind]
    sign = 1 if higher_is_better(kind[2]) else -1
    return max(same, key=lambda row: sign * row["value"])
