"""Differences: in what two sides differ before any score: fields of the spec, contents of data, environment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.store.query import query

PARAMS = """
    SELECT run, name, value FROM params
    WHERE list_contains($runs, run) AND name NOT IN ('name', 'description', 'extends', 'seed', 'seeds')
    UNION ALL SELECT run, 'seed', seed::VARCHAR FROM runs WHERE list_contains($runs, run)
    ORDER BY name
"""
FILES = """
    SELECT run, data || ' ' || split AS name, string_agg(sha256[:12], ' ' ORDER BY sha256) AS hash, sum(rows) AS rows
    FROM data WHERE list_contains($runs, run) GROUP BY ALL
"""
PREPARED = """
    SELECT run, name, arg_max(rows, attempt) AS rows, arg_max(key, attempt)[:12] AS key
    FROM stages WHERE list_contains($runs, run) AND starts_with(name, 'encode ') GROUP BY ALL
"""
MACHINES = """
    SELECT a.run, a.host, a.environment::VARCHAR AS environment, r.version AS runner
    FROM attempts a JOIN runs r ON r.run = a.run
    WHERE list_contains($runs, a.run) QUALIFY row_number() OVER (PARTITION BY a.run ORDER BY a.attempt DESC) = 1
"""

Values = dict[str, str | None]
Runs = Sequence[str]


def differences(results: Path, first: Runs, second: Runs) -> dict[str, list[dict[str, Any]]]:
    """What differs between two sides of one run or several, by `spec`, `data` and `environment`."""
    asked = {"runs": [*first, *second]}
    params, data, machines = ({run: dict[str, str | None]() for run in asked["runs"]} for _ in range(3))
    for row in query(results, PARAMS, asked).to_pylist():
        params[row["run"]][row["name"]] = row["value"]
    for row in query(results, FILES, asked).to_pylist():
        data[row["run"]][row["name"]] = f"{row['hash']} ({row['rows']:.0f} rows)" if row["rows"] else row["hash"]
    for row in query(results, PREPARED, asked).to_pylist():
        data[row["run"]][row["name"]] = f"{row['key']} ({row['rows']} rows)"
    for row in query(results, MACHINES, asked).to_pylist():
        machines[row["run"]] = environment(row)
    found = {"spec": params, "data": data, "environment": machines}
    return {kind: differing(values, first, second) for kind, values in found.items()}


def environment(row: Mapping[str, Any]) -> Values:
    """Machine, program and packages of the last attempt."""
    told = json.loads(row["environment"] or "{}")
    packages = told.pop("packages", None) or {}
    return {"host": row["host"], "runner": row["runner"]} | {
        name: None if value is None else str(value) for name, value in {**told, **packages}.items()
    }


def differing(values: Mapping[str, Values], first: Runs, second: Runs) -> list[dict[str, Any]]:
    """The names under which the two sides have other values; several values of a side stand side by side."""
    names = dict.fromkeys(name for run in (*first, *second) for name in sorted(values[run]))
    rows = [{"name": name, "a": side(values, first, name), "b": side(values, second, name)} for name in names]
    return [row for row in rows if row["a"] != row["b"]]


def side(values: Mapping[str, Values], runs: Runs, name: str) -> str | None:
    """The values that one side has of a name, in order; None where it has none."""
    found = sorted({str(values[run][name]) for run in runs if values[run].get(name) is not None})
    return " | ".join(found) if found else None
