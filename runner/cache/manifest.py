"""The manifest of a cache entry: what it was made from, when, how long it took, and the size of every file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NAME = "manifest.json"


def read(entry: Path) -> dict[str, Any] | None:
    """The manifest of an entry, or None where there is none that can be read."""
    try:
        manifest = json.loads((entry / NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("inputs"), dict) else None


def rows(about: Mapping[str, Any]) -> int | None:
    """Rows in all tables of an entry; None where its manifest does not tell."""
    found = about.get("rows")
    return sum(found.values()) if isinstance(found, dict) else found


def seal(entry: Path, about: Mapping[str, Any]) -> None:
    """Write the manifest of a finished build and force everything to disk."""
    files = {}
    for path in sorted(entry.rglob("*")):
        if path.is_file():
            sync(path)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            files[path.relative_to(entry).as_posix()] = {"size": path.stat().st_size, "sha256": digest}
    created = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps({**about, "created": created, "files": files}, indent=1, ensure_ascii=False, allow_nan=False)
    (entry / NAME).write_text(text, encoding="utf-8")
    sync(entry / NAME)
    sync(entry)


def whole(entry: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether every file of an entry is there in its full size."""
    try:
        return all((entry / name).stat().st_size == file["size"] for name, file in manifest["files"].items())
    except (OSError, AttributeError, KeyError, TypeError):
        return False


def sync(path: Path) -> None:
    """Force a file or folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
