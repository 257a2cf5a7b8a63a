"""Why a cache has no entry: which inputs differ from those of the nearest entry it has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.cache import manifest

NEWEST = 200


def nearest_manifest(stage: Path, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of the newest entries of a stage, the manifest that differs in the fewest inputs."""
    entries = sorted(stage.glob("[!.]*"), key=modified, reverse=True)[:NEWEST]
    known = [about for entry in entries if (about := manifest.read(entry))]
    return min(known, key=lambda about: len(changes(about["inputs"], inputs)), default=None)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The inputs that differ, in words such as "`max_length` was 128, now 64"."""
    old, new = dict(flat(before)), dict(flat(now))
    words = []
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            words.append(f"`{name}` was {shown(old[name])}, now left out")
        elif name not in old:
            words.append(f"`{name}` is new: {shown(new[name])}")
        elif old[name] != new[name]:
            words.append(f"`{name}` was {shown(old[name])}, now {shown(new[name])}")
    return words


def flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested inputs under dotted names."""
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield from flat(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, list(inner) if isinstance(inner, tuple) else inner


def shown(value: Any) -> str:
    """A value for a message; long ones, such as hashes, are cut."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:9]}…{text[-1]}"


def modified(entry: Path) -> float:
    """Time of the last change; 0 for an entry that was removed meanwhile."""
    try:
        return entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0
