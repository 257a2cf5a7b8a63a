"""The stage `clean`: of one file, the rows that stay after all cleaners, and an account of those that don't."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.data.account import Gone, Tally, batch_of, excerpt, facts_of, keep
from runner.data.cache import Cache, fingerprint
from runner.data.faults import DataFaults
from runner.data.files import content_hash
from runner.data.prepare import RESERVED, Prepared, columns_faults, identified
from runner.data.read import Origin
from runner.data.tables import SLICE, mapped, write
from runner.errors import RunnerError
from runner.parts.cleaners._cleaner import Cleaner, Drop, SetCleaner
from runner.spec.tables import Data
from runner.workers import spread, workers_for

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
ROWS = "rows.arrow"


@dataclass(frozen=True)
class Cleaned:
    """One file after the stage."""

    key: str
    entry: Path

    @cached_property
    def prepared(self) -> Prepared:
        """The rows that stay, memory-mapped."""
        return Prepared(mapped(self.entry / ROWS))

    @property
    def account(self) -> list[dict[str, Any]]:
        """What each step did."""
        return facts_of(self.entry)


def clean(
    split: str,
    origin: Origin,
    data: Data,
    inputs: Sequence[str],
    targets: Sequence[str],
    cache: Cache,
    tokenizer_file: Path | None,
) -> Cleaned:
    """The rows of a split's file; DataFaults with everything that is wrong with it."""
    cleaners = [part for part in data.clean if isinstance(part, Cleaner) and (not part.files or split in part.files)]
    why = {
        "file": origin.key,
        "clean": [part.model_dump(mode="json", exclude={"files"}) for part in cleaners],
        "inputs": sorted(inputs),
        "targets": sorted(targets),
        "id": data.id,
        "empty_text": data.empty_text,
        "version": VERSION,
    }
    if tokenizer_file is not None and any(part.counts_tokens for part in cleaners):
        why["tokenizer"] = content_hash(tokenizer_file, cache)
    key = fingerprint({"stage": "clean", **why})

    def build(entry: Path) -> Mapping[str, Any]:
        faults = columns_faults(split, origin, data, [*dict.fromkeys([*inputs, *targets])])
        if faults:
            raise DataFaults(split, faults)
        slices, skipped, faults = identified(split, origin, data, inputs, targets)
        if faults:
            raise DataFaults(split, faults)
        first = Tally("clean", "read", rows=origin.rows)
        gone = [Gone("", "", line, "read", reason, "", False, "") for line, reason in skipped]
        for row in gone:
            first.gone(row)
        tallies, batches = [first], [batch_of(gone)]
        ids = [data.id] if data.id else []
        wash(entry, slices, origin, cleaners, inputs, targets, ids, tokenizer_file, tallies, batches)
        keep(entry, tallies, batches)
        return {"rows": tallies[-1].kept}

    return Cleaned(key, cache.make("clean", key, build, why))


def wash(
    entry: Path,
    slices: Iterator[pa.Table],
    origin: Origin,
    cleaners: Sequence[Cleaner],
    inputs: Sequence[str],
    targets: Sequence[str],
    ids: Sequence[str],
    tokenizer_file: Path | None,
    tallies: list[Tally],
    gone: list[pa.RecordBatch],
) -> None:
    """Send the rows through the cleaners: runs of those that read one text by slices, the others by whole files."""
    empty = empty_rows(origin, [*inputs, *targets, *ids])
    workers = workers_for(origin.bytes)
    done = 0
    for whole, run in groupby(cleaners, lambda part: isinstance(part, SetCleaner)):
        for group in [[part] for part in run] if whole else [list(run)]:
            own = [Tally("clean", part.kind) for part in group]
            tallies += own
            if isinstance(group[0], SetCleaner):
                path = stored(entry / f".{done}.arrow", slices, empty)
                slices = judged(group[0], path, inputs, targets, own[0], gone)
            else:
                slices = washed(group, slices, inputs, tokenizer_file, own, gone, workers)
            done += 1
    stored(entry / ROWS, slices, empty)
    for stale in entry.glob(".*.arrow"):
        stale.unlink()


def stored(path: Path, slices: Iterator[pa.Table], empty: pa.Table) -> Path:
    """The slices in a file."""
    write(path, batches_of(slices, empty))
    return path


def batches_of(slices: Iterator[pa.Table], empty: pa.Table) -> Iterator[pa.RecordBatch]:
    """At least one record batch of one schema."""
    import pyarrow as pa

    yield pa.RecordBatch.from_pylist([], empty.schema)
    for part in slices:
        yield from part.combine_chunks().to_batches()


def empty_rows(origin: Origin, texts: Sequence[str]) -> pa.Table:
    """No rows, with the columns that all slices have."""
    import pyarrow as pa

    fields = [
        pa.field(each.name, pa.string()) if each.name in texts else each
        for each in origin.table.schema
        if each.name not in RESERVED
    ]
    ours = [pa.field("id", pa.string()), pa.field("_content", pa.string())]
    return pa.schema([*ours, *fields, pa.field("_line", pa.int64())]).empty_table()


def washed(
    cleaners: Sequence[Cleaner],
    slices: Iterator[pa.Table],
    inputs: Sequence[str],
    tokenizer_file: Path | None,
    tallies: Sequence[Tally],
    gone: list[pa.RecordBatch],
    workers: int,
) -> Iterator[pa.Table]:
    """The slices after cleaners that read one text at a time; `tallies` has one a cleaner."""
    for part, counts, went in spread(Washer, (list(cleaners), tuple(inputs), tokenizer_file), slices, workers):
        for tally, more in zip(tallies, counts, strict=True):
            tally.add(more)
        if went.num_rows:
            gone.append(went)
        yield part


class Washer:
    """Cleaners that are set up, applied to one slice after the other."""

    def __init__(self, cleaners: Sequence[Cleaner], inputs: Sequence[str], tokenizer_file: Path | None) -> None:
        self.inputs = inputs
        self.steps = [(part.kind, tuple(part.columns or inputs), part.ready(tokenizer_file)) for part in cleaners]

    def __call__(self, table: pa.Table) -> tuple[pa.Table, list[Tally], pa.RecordBatch]:
        """The rows that stay, what each cleaner did, and the rows that went."""
        import pyarrow as pa

        texts = {name: table[name].to_pylist() for name in self.inputs}
        ids, lines = table["id"].to_pylist(), table["_line"].to_pylist()
        kept = np.ones(table.num_rows, bool)
        tallies, went = [], []
        for kind, columns, function in self.steps:
            tally = Tally("clean", kind, rows=int(kept.sum()))
            began = time.perf_counter()
            for row in np.flatnonzero(kept).tolist():
                before = {name: texts[name][row] for name in columns}
                reason = mended(texts, row, columns, function, lines[row])
                if reason:
                    kept[row] = False
                    told = excerpt("\n".join(before.values()))
                    went.append(Gone("", ids[row], lines[row], kind, reason, "", False, told))
                    tally.gone(went[-1])
                    continue
                changed = [name for name in columns if texts[name][row] != before[name]]
                if changed:
                    tally.change(ids[row], before[changed[0]], texts[changed[0]][row])
            tally.seconds = time.perf_counter() - began
            tallies.append(tally)
        for name in self.inputs:
            table = table.set_column(table.column_names.index(name), name, pa.array(texts[name], pa.string()))
        return table if kept.all() else table.filter(pa.array(kept)), tallies, batch_of(went)


def mended(
    texts: dict[str, list[str]],
    row: int,
    columns: Sequence[str],
    function: Callable[[str], str | Drop],
    line: int,
) -> str:
    """Clean the texts of one row in place; why it goes, or nothing."""
    for name in columns:
        try:
            found = function(texts[name][row])
        except RunnerError as error:
            raise RunnerError(f"line {line}: {error.message}", error.hint) from error
        if isinstance(found, Drop):
            return found.reason
        if not found.strip():
            return "no text is left"
        texts[name][row] = found
    return ""


def judged(
    cleaner: SetCleaner,
    path: Path,
    inputs: Sequence[str],
    targets: Sequence[str],
    tally: Tally,
    gone: list[pa.RecordBatch],
) -> Iterator[pa.Table]:
    """The slices after a cleaner that looks at all rows at once."""
    table = mapped(path)
    tally.rows = table.num_rows
    scratch = path.with_suffix(".scratch")
    scratch.mkdir()
    began = time.perf_counter()
    kept = np.ones(table.num_rows, bool)
    for rows in chunks(cleaner.judge(table, cleaner.columns or inputs, targets, scratch)):
        places = np.array([each.position for each in rows])
        found = table.select(["id", "_line", *inputs]).take(places).to_pylist()
        went = [
            Gone("", row["id"], row["_line"], cleaner.kind, each.reason, each.twin, each.flagged, text_of(row, inputs))
            for each, row in zip(rows, found, strict=True)
        ]
        kept[places[[not each.flagged for each in rows]]] = False
        for each in went:
            tally.gone(each)
        gone.append(batch_of(went))
    tally.seconds = time.perf_counter() - began
    shutil.rmtree(scratch)
    for start in range(0, table.num_rows, SLICE):
        here = kept[start : start + SLICE]
        if here.any():
            yield table.slice(start, SLICE).filter(here)


def text_of(row: Mapping[str, Any], inputs: Sequence[str]) -> str:
    """The inputs of a row, cut to an excerpt."""
    return excerpt("\n".join(row[name] for name in inputs))


def chunks(items: Iterable[Any], most: int = SLICE) -> Iterator[list[Any]]:
    """Lists of so many items."""
    held = []
    for item in items:
        held.append(item)
        if len(held) == most:
            yield held
            held = []
    if held:
        yield held
