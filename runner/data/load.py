"""A data set as the journey needs it: read, checked, identified and split, from the cache where nothing changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.data.cache import Cache, fingerprint
from runner.data.faults import DataFaults, Fault
from runner.data.prepare import Prepared, prepare
from runner.data.read import Origin, read
from runner.data.split import Rows, split, split_rules
from runner.data.tables import mapped, taken, write
from runner.errors import RunnerError
from runner.spec.tables import Data

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DataFaults", "Dropped", "Fault", "File", "Loaded", "load"]

VERSION = 1
SPLITS = ("train", "validation", "test")
ABOUT = "about.json"


class File(NamedTuple):
    """A file that a split was read from; `path` as the spec writes it, rows before any was dropped."""

    split: str
    path: str
    sha256: str
    rows: int
    bytes: int


class Dropped(NamedTuple):
    """A row that was left out; `split` is the one whose file it stands in."""

    split: str
    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class Loaded:
    """A data set: tables with `id`, `line`, `file` and the columns of the files; inputs and targets are strings."""

    name: str
    splits: dict[str, pa.Table]
    fingerprint: str
    files: list[File]
    dropped: list[Dropped]


def load(
    name: str, data: Data, folder: Path, inputs: tuple[str, ...], targets: tuple[str, ...], cache: Cache
) -> Loaded:
    """Read and split the data set that a spec in `folder` describes; DataFaults with everything that is wrong."""
    origins, faults = read_all(data, folder, cache)
    if faults:
        prepare(data, origins, inputs, targets, faults)
        raise DataFaults(name, faults)
    why = inputs_of(data, origins, inputs, targets)
    key = fingerprint({"stage": "split", **why})

    def build(entry: Path) -> Mapping[str, Any]:
        return write_splits(name, data, origins, inputs, targets, entry)

    return loaded(name, key, cache.make("split", key, build, why), origins)


def read_all(data: Data, folder: Path, cache: Cache) -> tuple[dict[str, Origin], list[Fault]]:
    """Every split that is a file, and a fault for each that can't be read."""
    origins, faults = {}, []
    for split_name in SPLITS:
        written = getattr(data, split_name)
        if isinstance(written, str):
            try:
                origins[split_name] = read(written, folder, data.format, cache)
            except RunnerError as error:
                faults.append(Fault((split_name,), error.message, error.hint))
    return origins, faults


def inputs_of(
    data: Data, origins: Mapping[str, Origin], inputs: Sequence[str], targets: Sequence[str]
) -> dict[str, Any]:
    """All that decides which rows a split has and what they hold."""
    rules = {name: rule.model_dump(by_alias=True, exclude_none=True) for name, rule in split_rules(data).items()}
    return {
        "files": {name: origin.key for name, origin in origins.items()},
        "rules": rules,
        "inputs": sorted(inputs),
        "targets": sorted(targets),
        "id": data.id,
        "empty_text": data.empty_text,
        "version": VERSION,
    }


def write_splits(
    name: str,
    data: Data,
    origins: Mapping[str, Origin],
    inputs: Sequence[str],
    targets: Sequence[str],
    entry: Path,
) -> dict[str, Any]:
    """Build the stage `split`: a table a split, and the rows that were left out."""
    faults: list[Fault] = []
    files = prepare(data, origins, inputs, targets, faults)
    if len(files) == len(origins):
        rows = split(data, files, faults)
        empty = [each for each in rows if not len(rows[each].index)]
        faults += [empty_split(each, data, origins, files, rows) for each in empty if not faults]
    if faults:
        raise DataFaults(name, faults)
    for split_name, part in rows.items():
        prepared = files[part.origin]
        write(entry / f"{split_name}.arrow", taken(with_ids(prepared), part.index))
    skipped = {split_name: prepared.skipped for split_name, prepared in files.items()}
    origin_of = {split_name: part.origin for split_name, part in rows.items()}
    (entry / ABOUT).write_text(json.dumps({"origin": origin_of, "skipped": skipped}), encoding="utf-8")
    return {"rows": {split_name: len(part.index) for split_name, part in rows.items()}}


def with_ids(prepared: Prepared) -> pa.Table:
    """The rows with `id` and `line` in front, without columns of the file that have those names."""
    table = prepared.table
    kept = [name for name in table.column_names if name not in ("id", "line", "file", "_line")]
    return table.select(kept).add_column(0, "id", prepared.identity.ids).add_column(1, "line", table["_line"])


def empty_split(
    name: str, data: Data, origins: Mapping[str, Origin], files: Mapping[str, Prepared], rows: Mapping[str, Rows]
) -> Fault:
    """Why a split has no rows."""
    rule = split_rules(data).get(name)
    if rule is not None:
        source = rows[rule.from_]
        count = len(source.index)
        share = f"fraction {rule.fraction:g}" if rule.fraction else f"`{rule.column}`"
        message = f"`{name}` would be empty: {share} of the {count} rows of `{rule.from_}` gives none"
        return Fault((name,), message, "take a larger fraction, or name a file")
    written, skipped = origins[name].written, len(files[name].skipped)
    if files[name].table.num_rows:
        return Fault((name,), f"`{name}` would be empty: the other splits take all rows of `{written}`")
    if skipped:
        return Fault((name,), f"`{name}` would be empty: all rows of `{written}` ({skipped}) lack a text or label")
    return Fault((name,), f"`{name}` would be empty: `{written}` has no rows")


def loaded(name: str, key: str, entry: Path, origins: Mapping[str, Origin]) -> Loaded:
    """The data set of a cache entry, with the files' names as this spec writes them."""
    about = json.loads((entry / ABOUT).read_bytes())
    splits = {}
    for split_name in SPLITS:
        if split_name in about["origin"]:
            table = mapped(entry / f"{split_name}.arrow")
            file = constant(origins[about["origin"][split_name]].written, table.num_rows)
            splits[split_name] = table.add_column(2, "file", file)
    files = [File(each, o.written, o.sha256, o.table.num_rows, o.bytes) for each, o in origins.items()]
    dropped = [
        Dropped(each, origins[each].written, line, reason)
        for each, skipped in about["skipped"].items()
        for line, reason in skipped
    ]
    return Loaded(name, splits, key, files, dropped)


def constant(text: str, count: int) -> pa.Array:
    """A column that repeats one text, from bytes: Arrow's conversions of Python values load pandas (0.3 s)."""
    import pyarrow as pa

    data = text.encode()
    ends = pa.py_buffer(bytes(4) + len(data).to_bytes(4, "little"))
    words = pa.StringArray.from_buffers(1, ends, pa.py_buffer(data))
    zeros = pa.py_buffer(bytes(4 * count))
    return pa.DictionaryArray.from_buffers(pa.dictionary(pa.int32(), pa.string()), count, [None, zeros], words)
