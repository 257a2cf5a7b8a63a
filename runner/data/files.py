"""From the words of a spec to files: where they lie, how they are read, and the hash of what they hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from runner.cache.cache import Cache, fingerprint
from runner.cache.stat_index import file_hash
from runner.errors import RunnerError, nearest
from runner.kinds import known, names, pick
from runner.parts.sources._hub import HUB, commit, hub_name
from runner.parts.sources._named import container

if TYPE_CHECKING:
    from runner.parts.sources._source import Source


def locate(written: str, folder: Path) -> Path:
    """The place that a spec in `folder` names; a hub id and the `#SPLIT` of a folder stay as written."""
    if written.startswith(HUB):
        return Path(written)
    path = Path(os.path.abspath(folder / Path(written).expanduser()))
    if path.exists() or container(path).is_dir():
        return path
    raise RunnerError(f"`{written}` does not exist", neighbours(path))


def neighbours(path: Path) -> str:
    """A hint that names what is there instead of a missing file."""
    parent = path.parent
    if not parent.is_dir():
        return f"the folder `{parent}` does not exist"
    there = sorted(entry.name for entry in parent.iterdir() if not entry.name.startswith("."))
    near = nearest(path.name, there)
    more = ", ..." if len(there) > 10 else ""
    listed = f"`{parent}` holds: {', '.join(there[:10])}{more}" if there else f"`{parent}` is empty"
    return f"did you mean `{near}`? {listed}" if near else listed


def source_of(path: Path, format: str | None) -> Source:
    """How a file is read: by the `format` word, else by its ending; folders and hub ids as data sets."""
    if format is not None:
        return source(format)
    if str(path).startswith(HUB) or container(path).is_dir():
        return source("dataset")
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    word = ending[1:].lower()
    if known("sources", word) and ending.lower() in source(word).endings:
        return source(word)
    by_ending = {each: kind for kind in names("sources") for each in source(kind).endings}
    if ending.lower() not in by_ending:
        found = f"has the unknown ending `{ending}`" if ending else "has no ending"
        raise RunnerError(f"`{path.name}` {found}", f"set `format`, or use one of {', '.join(sorted(by_ending))}")
    return source(by_ending[ending.lower()])


def source(kind: str) -> Source:
    """The source of that name with its default fields."""
    return cast("Source", pick("sources", kind).model_validate({"type": kind}))


def content_hash(path: Path, cache: Cache) -> str:
    """SHA-256 of a file; of a folder: of the names and hashes of its files; of a hub id: of its commit."""
    if str(path).startswith(HUB):
        return fingerprint({"hub": hub_name(path)[0], "commit": commit(path)})
    place = container(path)
    index = cache.folder / "stat"
    if not place.is_dir():
        return file_hash(place, index)
    inner = sorted(entry for entry in place.rglob("*") if entry.is_file())
    return fingerprint([[entry.relative_to(place).as_posix(), file_hash(entry, index)] for entry in inner])
