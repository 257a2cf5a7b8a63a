"""Environments: on which machine, with which packages and threads a run came about, and what differs from another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.store import differences
from runner.store.query import query

TRAINED = """
    SELECT detail::VARCHAR AS detail FROM stages WHERE run = $run AND name = 'train' ORDER BY attempt DESC LIMIT 1
"""
Circumstances = Mapping[str, str | None]
HOW = ("threads", "together", "packed")  # of what training tells


def differing(was: Circumstances, now: Circumstances) -> list[dict[str, str | None]]:
    """What differs, by name."""
    names = dict.fromkeys([*was, *now])
    return [{"name": n, "was": was.get(n), "now": now.get(n)} for n in names if was.get(n) != now.get(n)]


def circumstances(results: Path, run: str) -> dict[str, str | None]:
    """Machine, program, packages, and how training went about it."""
    found: dict[str, str | None] = {}
    for row in query(results, differences.MACHINES, {"runs": [run]}).to_pylist():
        found |= differences.environment(row)
    told = trained(results, run)
    return found | {name: str(told[name]) for name in HOW if name in told}


def threads(results: Path, run: str) -> int | None:
    """The threads that torch had; None where an earlier version did not record them."""
    found = trained(results, run).get("threads")
    return None if found is None else int(found)


def trained(results: Path, run: str) -> dict[str, Any]:
    """What training told of itself."""
    rows = query(results, TRAINED, {"run": run}).to_pylist()
    return json.loads(rows[0]["detail"] or "{}") if rows else {}
