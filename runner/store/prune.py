"""Prune: remove old or failed runs, or only their models; never what runs, nor unasked the best of a grid."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from runner.errors import RunnerError
from runner.store.grids import leaderboard, members, shown
from runner.store.ingest import rebuild
from runner.store.query import query

FAILED = ("failed", "lost", "interrupted", "pruned")
HEAVY = ("model", "state")  # folders of a run that can be made again by training it
ALL = """
    SELECT run, name, state, epoch(coalesce(finished, started)) AS ended FROM runs
    WHERE state <> 'running' ORDER BY ended, run
"""
GRIDS = "SELECT DISTINCT grid FROM grid_trials ORDER BY grid"


class Pruned(NamedTuple):
    """A run, or the `part` of it, that goes, and the bytes that it takes."""

    run: str
    state: str
    part: str
    bytes: int


class Wish(NamedTuple):
    """Which runs shall go: by age in seconds, by failure, of one grid; the best of grids too; or models alone."""

    older: float | None = None
    failed: bool = False
    grid: str = ""
    best: bool = False
    models: bool = False


def prune(results: Path, wish: Wish, now: float, *, dry_run: bool = False) -> tuple[list[Pruned], list[str]]:
    """Remove what is wished, or only say what would go; what that is, and the best runs of grids that stay.

    Raises RunnerError for a wish that names nothing.
    """
    if wish.older is None and not wish.failed and not wish.grid and not wish.models:
        raise RunnerError(
            "this would remove every run", "say which: --older-than 90d, --failed, --grid NAME or --models-only"
        )
    chosen = [row for row in query(results, ALL).to_pylist() if wanted(row, wish, now)]
    if wish.grid:
        own = {row["run"] for row in members(results, wish.grid)}
        chosen = [row for row in chosen if row["run"] in own]
    kept = set() if wish.best else bests(results)
    spared = [row["run"] for row in chosen if row["run"] in kept]
    going = [each for row in chosen if row["run"] not in kept for each in parts(results, row, wish)]
    if dry_run:
        return going, spared
    try:
        return [each for each in going if removed(results / "runs" / each.run, each.part)], spared
    finally:
        if going and not wish.models:
            rebuild(results)


def removed(folder: Path, part: str) -> bool:
    """Remove a run or a part of it; False where somebody has just gone on with it."""
    try:
        with FileLock(folder / ".lock", timeout=0):
            shutil.rmtree(folder / part)
    except Timeout:
        return False
    except OSError as error:
        what = f"cannot remove `{folder / part}`: {error.strerror or error}"
        raise RunnerError(what, "see to it and ask again; the rest stays") from error
    return True


def wanted(row: dict[str, Any], wish: Wish, now: float) -> bool:
    """Whether a run is old enough, and failed where that is asked."""
    old = wish.older is None or (row["ended"] is not None and now - row["ended"] > wish.older)
    return old and (not wish.failed or row["state"] in FAILED)


def bests(results: Path) -> set[str]:
    """The runs at the first place of each grid's leaderboard; all that finished where no validation gave places."""
    found: set[str] = set()
    for row in query(results, GRIDS).to_pylist():
        first = leaderboard(results, row["grid"])[0]
        judged = any(label.startswith("validation ") for label in first)
        trials = [trial for trial in members(results, row["grid"]) if trial["state"] == "finished"]
        found |= {trial["run"] for trial in trials if not judged or at(trial, first)}
    return found


def at(trial: dict[str, Any], first: dict[str, Any]) -> bool:
    """Whether a trial is at a point of a leaderboard."""
    point = {name: shown(value) for name, value in trial["point"].items() if name != "seed"}
    return all(first.get(name) == value for name, value in point.items())


def parts(results: Path, row: dict[str, Any], wish: Wish) -> Iterator[Pruned]:
    """What goes of a run, with its size."""
    folder = results / "runs" / row["run"]
    for part in HEAVY if wish.models else ("",):
        if (folder / part).is_dir():
            yield Pruned(row["run"], row["state"], part, size(folder / part))


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(os.lstat(Path(at) / name).st_size for at, _, names in os.walk(folder) for name in names)
