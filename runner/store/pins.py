"""Pins: what a run recorded of the contents of its data and model, and of the packages it worked with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner.store.query import query

DATA = """
    SELECT data || ' ' || split AS name, string_agg(DISTINCT sha256, ' ' ORDER BY sha256) AS value
    FROM data WHERE run = $run GROUP BY ALL ORDER BY name
"""
MODEL = """
    SELECT (fields -> '$.files')::VARCHAR AS files FROM other_events WHERE run = $run AND event = 'base'
    ORDER BY attempt DESC, time DESC LIMIT 1
"""
PACKAGES = """
    SELECT a.environment::VARCHAR AS environment, r.version AS runner FROM attempts a JOIN runs r ON r.run = a.run
    WHERE a.run = $run ORDER BY a.attempt DESC LIMIT 1
"""


def pinned(results: Path, run: str) -> dict[str, dict[str, Any]]:
    """By kind and name; a run of an earlier version kept no hashes of its model, which then is left out."""
    asked = {"run": run}
    found = {"data": {row["name"]: row["value"] for row in query(results, DATA, asked).to_pylist()}}
    for row in query(results, MODEL, asked).to_pylist():
        found["model"] = json.loads(row["files"])
    for row in query(results, PACKAGES, asked).to_pylist():
        told = json.loads(row["environment"] or "{}")
        found["packages"] = {"python": told.get("python"), "runner": row["runner"], **(told.get("packages") or {})}
    return found
