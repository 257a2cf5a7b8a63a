"""Merge: the runs of other folders of results come into this one, with their logs, files and models.

A new run is copied beside the others and renamed into place. A run that is here grows by what its log lacks, where one
log begins with the other; where neither does, it is left and named. Repeating a merge, also one that was killed, ends
in the same state.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from runner.errors import RunnerError
from runner.store.elsewhere import Elsewhere, elsewhere
from runner.store.ingest import ingest
from runner.store.story import Diverged
from runner.store.transfer import catch_up, take

LOCK = ".lock"  # held by the process that works on a run
STAGING = ".merge"


@dataclass
class Merged:
    """What became of the runs: those that are new, those that grew, those that a process works on here, those whose
    logs contradict each other, and how many were there already."""

    new: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    same: int = 0

    def facts(self) -> dict[str, Any]:
        """The same for `--json`."""
        return asdict(self)


def told(merged: Merged) -> str:
    """The same for people: a line, and one for each run that was left."""
    new = f"{len(merged.new):,} new run" + "s" * (len(merged.new) != 1)
    counts = f"{new}, {len(merged.grown):,} grew, {merged.same:,} were here already"
    left = [f"`{run}` is being worked on here: merge again when it has ended" for run in merged.busy]
    left += [
        f"`{each['run']}` was left: `{each['place']}` has another history of it, from line {each['line']} on;"
        " remove the one that is not wanted and merge again"
        for each in merged.conflicts
    ]
    return "\n".join([counts, *left])


def merge(results: Path, others: Iterable[str], *, models: bool = True) -> Merged:
    """Bring in the runs of other folders, one after the other, then catch up with their logs.

    RunnerError, before anything is copied, where one of them is no folder of results, or this very one.
    """
    found = [checked(results, elsewhere(other)) for other in others]
    merged = Merged()
    with alone(results):
        for other in found:
            take_all(results, other, merged, models=models)
    ingest(results)
    return merged


def checked(results: Path, other: Elsewhere) -> Elsewhere:
    """A place that has runs, and is another one."""
    if other.local and Path(other.folder).resolve() == results.resolve():
        raise RunnerError(f"`{other.place}` is the very folder to merge into", "name another folder of results")
    with telling(other.place):
        if not other.holds_runs():
            hint = "name what other runs had as `--results`; `runner store import` takes exports"
            raise RunnerError(f"`{other.place}` is no folder of results: {other.listed()}", hint)
    return other


@contextmanager
def alone(results: Path) -> Iterator[None]:
    """One merge at a time; what a killed one left half copied goes."""
    staging = results / STAGING
    with telling(str(results)):
        (results / "runs").mkdir(parents=True, exist_ok=True)
        with FileLock(results / f"{STAGING}.lock"):
            shutil.rmtree(staging, ignore_errors=True)
            yield
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def telling(place: str) -> Iterator[None]:
    """Faults of disks and networks as the user's."""
    try:
        yield
    except OSError as error:
        raise RunnerError(
            f"cannot merge `{place}`: {error}", "mend it and merge again: what was copied stays"
        ) from error


def take_all(results: Path, other: Elsewhere, merged: Merged, *, models: bool) -> None:
    """All runs of one place."""
    with telling(other.place):
        for run in other.runs():
            folder = results / "runs" / run
            if folder.exists():
                grow(folder, other, merged, models=models)
            else:
                take(folder, results / STAGING / run, other, models=models)
                merged.new.append(run)


def grow(folder: Path, other: Elsewhere, merged: Merged, *, models: bool) -> None:
    """Bring a run that is here up to what it is there, unless a process works on it."""
    try:
        with FileLock(folder / LOCK, timeout=0):
            grown = catch_up(folder, other, models=models)
    except Timeout:
        merged.busy.append(folder.name)
    except Diverged as found:
        merged.conflicts.append({"run": folder.name, "place": other.place, "line": found.line})
    else:
        merged.grown += [folder.name] * grown
        merged.same += not grown
