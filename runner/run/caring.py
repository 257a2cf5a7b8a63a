"""`runner store check`, `compact`, `prune` and `migrate`: what was found and done, for people and machines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.run.aligned import aligned
from runner.run.caching import seconds_of, sized
from runner.store.check import Checked
from runner.store.prune import Pruned, Wish
from runner.store.prune import prune as remove

MOST = 20  # differences that are shown


def checked(found: Checked) -> str:
    """A check in words."""
    summary = f"{found.runs} runs, {found.rows:,} rows in {found.tables} tables compared with the logs"
    more = [f"{found.growing} runs that grew meanwhile left out"] * bool(found.growing)
    more += [f"{found.unreadable} lines of logs are unreadable: `SELECT * FROM bad_lines`"] * bool(found.unreadable)
    if not found.differences:
        return "\n".join([f"{summary}: all the same", *more])
    shown = [("run", "table", "what", "do"), *map(tuple, found.differences[:MOST])]
    left = len(found.differences) - MOST
    more += [f"and {left} more"] * (left > 0)
    return "\n".join([f"{summary}: {len(found.differences)} differences", *aligned(shown, gap=1), *more])


def facts(found: Checked) -> dict[str, Any]:
    """The same as JSON-compatible values."""
    return found._asdict() | {"differences": [each._asdict() for each in found.differences]}


def prune(
    results: Path, older_than: str, grid: str, *, failed: bool, best: bool, models: bool, dry_run: bool
) -> dict[str, Any]:
    """Remove runs or their models; what went, and what stayed as the best of its grid."""
    older = seconds_of(older_than) if older_than else None
    wish = Wish(older, failed=failed, grid=grid, best=best, models=models)
    going, spared = remove(results, wish, time.time(), dry_run=dry_run)
    freed = sum(each.bytes for each in going)
    return {"dry_run": dry_run, "removed": [each._asdict() for each in going], "bytes": freed, "spared": spared}


def pruned(found: dict[str, Any]) -> str:
    """The same in words."""
    verb = "would remove" if found["dry_run"] else "removed"
    shown: Sequence[Pruned] = [Pruned(**each) for each in found["removed"]]
    lines = [("run", "state", "part", "size")] if shown else []
    lines += [(each.run, each.state, each.part or "all", sized(each.bytes)) for each in shown]
    runs = len({each.run for each in shown})
    words = [f"{verb} {'parts of ' if any(each.part for each in shown) else ''}{runs} runs, {sized(found['bytes'])}"]
    if found["spared"]:
        words.append(f"{len(found['spared'])} stay as the best of their grids; `--best` removes them too")
    return "\n".join([*aligned(lines, gap=1), *words])
