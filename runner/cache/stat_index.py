"""Hashes of files that are known from before: nothing is hashed again while its size, times and inode are the same."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.errors import RunnerError

RACY_NS = 2_000_000_000


def file_hash(path: Path, index: Path) -> str:
    """SHA-256 of the file's bytes, remembered in the folder `index`.

    An entry counts only if the file was last touched 2 s before it was indexed: an edit within the resolution of the
    clock could leave size and times as they were.
    """
    entry = index / hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
    now = state(path)
    known = remembered(entry)
    if known and known["state"] == now and max(now["mtime_ns"], now["ctime_ns"]) < known["indexed_ns"] - RACY_NS:
        return str(known["sha256"])
    began = time.time_ns()
    digest = hashed(path)
    if state(path) != now:
        raise RunnerError(f"`{path.name}` changed while it was read", "wait until it is written, then try again")
    with suppress(OSError):  # a full disk, or a cache that can't be written: hashed again next time
        remember(entry, {"path": str(path), "state": now, "indexed_ns": began, "sha256": digest})
    return digest


def state(path: Path) -> dict[str, int]:
    """What tells that a file was not touched."""
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "ctime_ns": stat.st_ctime_ns, "inode": stat.st_ino}


def hashed(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except PermissionError as error:
        raise RunnerError(f"`{path}` may not be read", "give yourself the right to read it") from error


def remembered(entry: Path) -> dict[str, Any] | None:
    """An entry of the index, or None where there is none that can be read."""
    try:
        known = json.loads(entry.read_bytes())
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) and known.keys() >= {"state", "indexed_ns", "sha256"} else None


def remember(entry: Path, known: dict[str, Any]) -> None:
    """Put an entry into place whole, whoever else writes it."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    temporary = entry.with_name(f"{entry.name}.{os.urandom(4).hex()}.tmp")
    try:
        temporary.write_text(json.dumps(known), encoding="utf-8")
        temporary.replace(entry)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
