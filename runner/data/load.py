"""A data set as the journey needs it: read, checked, identified and split, from the cache where nothing changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.data.cache import Cache, fingerprint
from runner.data.faults import DataFaults, Fault
from runner.data.read import Origin, read
from runner.data.tables import mapped, taken, write
from runner.errors import RunnerError
from runner.spec.tables import Data

if TYPE_CHECKING:
    import pyarrow as pa

    from runner.data.prepare import Prepared
    from runner.data.split import Rows

__all__ = ["DataFaults", "Dropped", "Fault", "File", "Loaded", "load"]

VERSION = 2
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
    """A data set, whose tables are opened when they are asked for.

    `rows[split]` counts rows, `labels[column][split][label]` those of each value of a target; `written[split]` is the
    file that the rows come from, as the spec writes it.
    """

    name: str
    fingerprint: str
    entry: Path
    written: dict[str, str]
    rows: dict[str, int]
    labels: dict[str, dict[str, dict[str, int]]]
    files: list[File]
    dropped: list[Dropped]

    @cached_property
    def splits(self) -> dict[str, pa.Table]:
        """Tables with `id`, `line`, `file` and the columns of the files; inputs and targets are strings."""
        return {split: self.table(split) for split in self.written}

    def table(self, split: str) -> pa.Table:
        """The rows of one split, memory-mapped."""
        found = mapped(self.entry / f"{split}.arrow")
        return found.add_column(2, "file", constant(self.written[split], found.num_rows))


def load(
    name: str, data: Data, folder: Path, inputs: tuple[str, ...], targets: tuple[str, ...], cache: Cache
) -> Loaded:
    """Read and split the data set that a spec in `folder` describes; DataFaults with everything that is wrong."""
    origins, faults = read_all(data, folder, cache)
    if faults:
        from runner.data.prepare import prepare

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
    rules = {name: rule.model_dump(by_alias=True, exclude_none=True) for name, rule in data.rules.items()}
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
    """Build the stage `split`: a table a split, the rows that were left out, and how often each label occurs."""
    from runner.data.prepare import prepare
    from runner.data.split import split

    faults: list[Fault] = []
    files = prepare(data, origins, inputs, targets, faults)
    if len(files) == len(origins):
        rows = split(data, files, faults)
        empty = [each for each in rows if not len(rows[each].index)]
        faults += [empty_split(each, data, origins, files, rows) for each in empty if not faults]
    if faults:
        raise DataFaults(name, faults)
    labels: dict[str, dict[str, dict[str, int]]] = {target: {} for target in targets}
    for split_name, part in rows.items():
        place = entry / f"{split_name}.arrow"
        write(place, taken(with_ids(files[part.origin]), part.index))
        for target in targets:
            labels[target][split_name] = tally(mapped(place), target)
    about = {
        "origin": {split_name: part.origin for split_name, part in rows.items()},
        "skipped": {split_name: prepared.skipped for split_name, prepared in files.items()},
        "rows": {split_name: len(part.index) for split_name, part in rows.items()},
        "labels": labels,
    }
    (entry / ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
    return {"rows": about["rows"]}


def tally(table: pa.Table, column: str) -> dict[str, int]:
    """Rows by label."""
    import pyarrow.compute as pc

    found = pc.value_counts(table[column])
    return dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))


def with_ids(prepared: Prepared) -> pa.Table:
    """The rows with `id` and `line` in front, without columns of the file that have those names."""
    table = prepared.table
    kept = [name for name in table.column_names if name not in ("id", "line", "file", "_line")]
    return table.select(kept).add_column(0, "id", prepared.identity.ids).add_column(1, "line", table["_line"])


def empty_split(
    name: str, data: Data, origins: Mapping[str, Origin], files: Mapping[str, Prepared], rows: Mapping[str, Rows]
) -> Fault:
    """Why a split has no rows."""
    rule = data.rules.get(name)
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
    written = {split: origins[about["origin"][split]].written for split in SPLITS if split in about["origin"]}
    files = [File(split, o.written, o.sha256, o.rows, o.bytes) for split, o in origins.items()]
    dropped = [
        Dropped(split, origins[split].written, line, reason)
        for split, skipped in about["skipped"].items()
        for line, reason in skipped
    ]
    return Loaded(name, key, entry, written, about["rows"], about["labels"], files, dropped)


def constant(text: str, count: int) -> pa.Array:
    """A column that repeats one text, from bytes: Arrow's conversions of Python values load pandas (0.3 s)."""
    import pyarrow as pa

    data = text.encode()
    ends = pa.py_buffer(bytes(4) + len(data).to_bytes(4, "little"))
    words = pa.StringArray.from_buffers(1, ends, pa.py_buffer(data))
    zeros = pa.py_buffer(bytes(4 * count))
    return pa.DictionaryArray.from_buffers(pa.dictionary(pa.int32(), pa.string()), count, [None, zeros], words)
