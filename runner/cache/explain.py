"""Why a cache has no entry: which inputs differ from those of the nearest entry it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.cache import manifest
from runner.cache.changes import changes, file_name, same_file

NEWEST = 200


def missing(stage: Path, inputs: Mapping[str, Any]) -> str:
    """Why the folder of a stage has no entry for these inputs, in words."""
    near = nearest_manifest(stage, inputs)
    if near is None:
        return f"nothing of stage `{stage.name}` is cached"
    file = file_name(inputs)
    if file and not same_file(near["inputs"], inputs):
        return f"nothing of `{file}` is cached in stage `{stage.name}`"
    return ", ".join(changes(near["inputs"], inputs)) or "made by another version of the code"


def nearest_manifest(stage: Path, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of the newest entries of a stage, the manifest of the same file, if there is one, with the fewest changes."""
    entries = sorted(stage.glob("[!.]*"), key=modified, reverse=True)[:NEWEST]
    known = [about for entry in entries if (about := manifest.read(entry))]

    def distance(about: Mapping[str, Any]) -> tuple[bool, int]:
        return not same_file(about["inputs"], inputs), len(changes(about["inputs"], inputs))

    return min(known, key=distance, default=None)


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
