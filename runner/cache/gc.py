"""Remove from a cache what is damaged, forgotten, too old or too much; never what a living process uses."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runner.cache.entries import LOCKS, Contents, Entry, size, stages, words
from runner.cache.explain import modified
from runner.cache.lease import Leases, leases
from runner.errors import RunnerError

TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")
NOTES = ("stat", "verdict")
SETTLED_SECONDS = 3600  # a note is written in an instant; one that is half written for so long has no writer


class Removed(NamedTuple):
    """Something that was removed, or would be; `name` is STAGE/KEY, or the path below the cache's folder.

    `rows` and `source`, what it was made from, are known of entries only.
    """

    what: str
    name: str
    bytes: int
    why: str
    rows: int | None = None
    source: str = ""


class Collected(NamedTuple):
    """What was done: `left` is the size of the entries that stay, `spared` how many would have gone but are in use."""

    removed: list[Removed]
    left: int
    spared: int


def gc(
    folder: Path, max_size: int | None = None, older_than: float | None = None, *, dry_run: bool = False
) -> Collected:
    """Clear a cache up.

    Damaged entries, remains of builds that were killed, locks that nobody waits for and notes about files that are
    gone always go. Of the others go those last used more than `older_than` seconds ago, and then the least recently
    used until the entries have no more than `max_size` bytes.
    """
    if not folder.is_dir():
        return Collected([], 0, 0)
    held = leases(folder)
    if held is None or not held.writable:
        raise RunnerError(f"`{folder}` may not be written", "let its owner clear it up")
    contents = Contents(folder)
    removed, spared = [], 0
    left = sum(entry.bytes for entry in contents.entries)
    for entry in sorted(contents.entries, key=lambda each: (not each.damaged, each.used)):
        why = reason(entry, left, max_size, older_than)
        if not why:
            continue
        if take_away(held, entry, dry_run=dry_run):
            removed.append(removed_entry(entry, contents, why))
            left -= entry.bytes
        else:
            spared += 1
    return Collected([*removed, *remains(folder, held, dry_run=dry_run), *notes(folder, dry_run=dry_run)], left, spared)


def removed_entry(entry: Entry, contents: Contents, why: str) -> Removed:
    """An entry that goes, with what it was."""
    return Removed("entry", f"{entry.stage}/{entry.key}", entry.bytes, why, entry.rows, words(entry, contents))


def reason(entry: Entry, left: int, max_size: int | None, older_than: float | None) -> str:
    """Why an entry goes, or nothing."""
    if entry.damaged:
        return "damaged"
    if older_than is not None and time.time() - entry.used > older_than:
        return "not used for long"
    return "least recently used" if max_size is not None and left > max_size else ""


def take_away(held: Leases, entry: Entry, *, dry_run: bool) -> bool:
    """Remove an entry, never seen half removed, unless somebody uses it or used it since it was listed; whether."""
    aside = entry.folder.with_name(f".{entry.key}.{os.urandom(4).hex()}.tmp")
    with held.alone(entry.stage, entry.key) as free:
        free = free and modified(entry.folder) == entry.used
        if free and not dry_run:
            entry.folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)
    return free


def remains(folder: Path, held: Leases, *, dry_run: bool) -> Iterator[Removed]:
    """Remove what killed builds left, and locks: whoever builds or waits for a lock uses the entry before."""
    for stage in stages(folder):
        places = [(found[1], place) for place in stage.glob(".*.tmp") if (found := TEMPORARY.fullmatch(place.name))]
        places += [(lock.name, lock) for lock in sorted((stage / LOCKS).iterdir())]
        for key, place in places:
            locked = place.parent.name == LOCKS
            with held.alone(stage.name, key) as free:
                if not free:
                    continue
                bytes = size(place)
                if not dry_run and locked:
                    place.unlink(missing_ok=True)
                elif not dry_run:
                    shutil.rmtree(place, ignore_errors=True)
            why = "nobody waits for it" if locked else "its build was killed"
            yield Removed("lock" if locked else "remains", place.relative_to(folder).as_posix(), bytes, why)


def notes(folder: Path, *, dry_run: bool) -> Iterator[Removed]:
    """Remove notes about files that are gone, and those that were never finished; what is still true stays."""
    for note in (each for kind in NOTES for each in sorted((folder / kind).glob("*"))):
        why = forgotten(note)
        if why:
            yield Removed("note", note.relative_to(folder).as_posix(), size(note), why)
            if not dry_run:
                note.unlink(missing_ok=True)


def forgotten(note: Path) -> str:
    """Why a note is of no use, or nothing."""
    try:
        if note.suffix == ".tmp":
            return "never finished" if time.time() - note.stat().st_mtime > SETTLED_SECONDS else ""
        known = json.loads(note.read_bytes())
        paths: Sequence[str] = known["files"] if "files" in known else [known["path"]]
    except FileNotFoundError:
        return ""
    except (ValueError, TypeError, KeyError):
        return "damaged"
    return "" if all(Path(path).exists() for path in paths) else "its file is gone"
