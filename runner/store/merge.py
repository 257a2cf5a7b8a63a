"""Merge: the runs of other folders of results come into this one, with their logs, files and models.

A new run is copied beside the others and renamed into place. A run that is here grows by what its log lacks, where one
log begins with the other; where neither does, it is left and named. Repeating a merge, also one that was killed, ends
in the same state.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from runner.errors import RunnerError
from runner.store.elsewhere import Elsewhere, elsewhere
from runner.store.history import Diverged, Lack, lack
from runner.store.ingest import ingest
from runner.store.log import NAME

DONE = "finished.json"  # comes last: a run that has it is never worked on again
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
            if (results / "runs" / run).exists():
                grow(results / "runs" / run, other, merged, models=models)
            else:
                take(results, run, other, models=models)
                merged.new.append(run)


def take(results: Path, run: str, other: Elsewhere, *, models: bool) -> None:
    """Copy a run that is not here, and rename it into place when all of it is there."""
    staged = results / STAGING / run
    staged.mkdir(parents=True)
    with other.log(run) as theirs:
        append(staged / NAME, (line for line in theirs if line.endswith(b"\n")))
    copy(other, other.files(run, models=models), staged)
    staged.rename(results / "runs" / run)


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


def catch_up(folder: Path, other: Elsewhere, *, models: bool) -> bool:
    """Copy the files of a later state, append what the log lacks; whether anything was missing here."""
    missing = compared(folder, other)
    files = {} if missing.ahead else other.files(folder.name, models=models)
    wanted = {name: path for name, path in files.items() if missing.more or not (folder / name).exists()}
    done = {name: wanted.pop(name) for name in [DONE] if name in wanted}
    copy(other, wanted, folder)
    if missing:
        with other.log(folder.name) as theirs:
            append(folder / NAME, missing.lines(theirs))
    copy(other, done, folder)
    return bool(missing or wanted or done)


def compared(folder: Path, other: Elsewhere) -> Lack:
    """What the log of a run here lacks of the log there."""
    (folder / NAME).touch()
    with (folder / NAME).open("rb") as ours, other.log(folder.name) as theirs:
        return lack(ours, theirs)


def append(log: Path, lines: Iterable[bytes]) -> None:
    """Append whole lines; a torn last line, which no reader counts, goes first."""
    with log.open("ab") as stream:
        stream.truncate(whole(log))
        stream.writelines(lines)
        stream.flush()
        os.fsync(stream.fileno())


def whole(log: Path) -> int:
    """The bytes up to the last end of a line."""
    with log.open("rb") as stream:
        return tail(stream, stream.seek(0, os.SEEK_END))


def tail(stream: BinaryIO, end: int) -> int:
    """The place after the last end of a line before `end`."""
    while end:
        begin = max(0, end - 2**16)
        stream.seek(begin)
        found = stream.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def copy(other: Elsewhere, files: dict[str, str], folder: Path) -> None:
    """Copy files into a run's folder, each written beside and renamed, the mark of a finished run last.

    What vanished since it was listed, such as an old state of a run that goes on there, is left for the next merge.
    """
    for name, path in sorted(files.items(), key=lambda each: (each[0] == DONE, each[0])):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.part")
        try:
            other.system.get_file(path, str(beside))
        except FileNotFoundError:
            continue
        beside.replace(target)
