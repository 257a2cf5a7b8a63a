"""Why a cache has no entry: which inputs differ from those of the nearest entry it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.cache import manifest
from runner.cache.changes import changes

NEWEST = 200


def nearest_manifest(stage: Path, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of the newest entries of a stage, the manifest that differs in the fewest inputs."""
    entries = sorted(stage.glob("[!.]*"), key=modified, reverse=True)[:NEWEST]
    known = [about for entry in entries if (about := manifest.read(entry))]
    return min(known, key=lambda about: len(changes(about["inputs"], inputs)), default=None)


def flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested inputs under dotted names."""
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield from flat(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, list(inner) if isinstance(inner, tuple) else inner


def modified(entry: Path) -> float:
    """Time of the last change; 0 for an entry that was removed meanwhile."""
    try:
        return entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0
