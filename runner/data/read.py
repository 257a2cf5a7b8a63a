"""The stage `read`: a file in any format becomes an Arrow table in the cache, once for each content."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.cache.cache import Cache, fingerprint
from runner.data.files import content_hash, locate, source_of
from runner.data.tables import mapped, write
from runner.errors import RunnerError
from runner.parts.sources._named import container, wanted_split

if TYPE_CHECKING:
    import pyarrow as pa

    from runner.parts.sources._source import Source

VERSION = 1
TABLE = "table.arrow"
STRUCTURED = ("texts", "lists", "tables")  # what a target that may be nested holds


@dataclass(frozen=True)
class Origin:
    """One file of a data set as it was read: `_line` and all its columns; `kinds` says what each of these holds."""

    written: str
    path: Path
    sha256: str
    key: str
    rows: int
    bytes: int
    entry: Path
    kinds: Mapping[str, str]

    @cached_property
    def table(self) -> pa.Table:
        """The rows, memory-mapped."""
        return mapped(self.entry / TABLE)

    def holds(self, columns: Iterable[str], nested: Collection[str] = ()) -> bool:
        """Whether all these columns are there, with texts; those in `nested` may hold lists or tables."""
        return all(self.kinds.get(name) in (STRUCTURED if name in nested else ("texts",)) for name in columns)


class Reading(NamedTuple):
    """What is to be read and how: `key` and `why` name the cache entry."""

    path: Path
    source: Source
    sha256: str
    key: str
    why: Mapping[str, Any]


def reading(written: str, folder: Path, format: str | None, cache: Cache) -> Reading:
    """What a spec in `folder` names, without reading its rows; RunnerError where it can't be had."""
    path = locate(written, folder)
    source = source_of(path, format)
    if source.endings and path.is_dir():
        raise RunnerError(f"`{written}` is a folder", f"name a file for `format = {source.kind!r}`")
    sha256 = content_hash(path, cache)
    unpacked = {"gzip": True} if path.suffix == ".gz" else {}
    inputs = {
        "content": sha256,
        "format": source.model_dump(),
        "version": VERSION,
        "split": wanted_split(path),
        **unpacked,
    }
    return Reading(path, source, sha256, fingerprint({"stage": "read", **inputs}), {"file": path.name, **inputs})


def read(written: str, folder: Path, format: str | None, cache: Cache) -> Origin:
    """The rows of what a spec in `folder` names; RunnerError where they can't be had."""
    path, source, sha256, key, why = reading(written, folder, format, cache)

    def build(entry: Path) -> Mapping[str, Any]:
        rows = write(entry / TABLE, source.batches(path))
        if content_hash(path, cache) != sha256:
            raise RunnerError(f"`{written}` changed while it was read", "wait until it is written, then try again")
        return {"rows": rows, "bytes": size(path), "columns": kinds_of(mapped(entry / TABLE))}

    entry = cache.make("read", key, build, why)
    manifest = cache.manifest("read", key)
    kinds = manifest.get("columns") or kinds_of(mapped(entry / TABLE))  # older entries don't say
    return Origin(written, path, sha256, key, manifest["rows"], manifest["bytes"], entry, kinds)


def kinds_of(table: pa.Table) -> dict[str, str]:
    """What each column holds."""
    from runner.data.columns import kind_of  # loads numpy, which a known file does without

    empty = {name: table[name].slice(0, 0) for name in table.column_names if name != "_line"}
    return {name: kind_of(column) for name, column in empty.items()}


def size(path: Path) -> int:
    """Bytes of a file or of all files of a folder; 0 for a hub id."""
    place = container(path)
    if place.is_dir():
        return sum(entry.stat().st_size for entry in place.rglob("*") if entry.is_file())
    return place.stat().st_size if place.exists() else 0
