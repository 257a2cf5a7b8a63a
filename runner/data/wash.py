"""Rows through cleaners: runs of those that read one text by slices, in parallel, the others by whole files."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.data.account import Gone, Ledger, Tally, batch_of, excerpt, keep, text_of
from runner.data.counts import LABELS
from runner.data.counts import tally as labels_of
from runner.data.faults import RESERVED, DataFaults, RowFault
from runner.data.prepare import identified
from runner.data.read import Origin
from runner.data.tables import SLICE, alone, at, cuts, mapped, sizes, write
from runner.data.tables import slices as sliced
from runner.errors import RunnerError
from runner.parts.cleaners._cleaner import Cleaner, Drop, Judged, SetCleaner
from runner.spec.tables import Data
from runner.workers import spread, workers_for

if TYPE_CHECKING:
    import pyarrow as pa


def wash(
    entry: Path,
    split: str,
    origin: Origin,
    data: Data,
    cleaners: Sequence[Cleaner],
    inputs: Sequence[str],
    targets: Sequence[str],
    tokenizer_file: Path | None,
) -> dict[str, Any]:
    """Write the rows that stay, as `rows.arrow`, and the account; DataFaults with everything that is wrong.

    Returned are the count of `rows`, and for each target the labels that are `lost`, with the rows they had.
    """
    began = time.perf_counter()
    slices, skipped, faults = identified(split, origin, data, inputs, targets)
    if faults:
        raise DataFaults(split, faults)
    tallies = [Tally("clean", "read", rows=origin.rows, seconds=time.perf_counter() - began)]
    unread = [Gone("", "", line, "read", reason, "", False, "") for line, reason in skipped]
    for row in unread:
        tallies[0].gone(row)
    gone = Ledger(entry)
    gone.append(batch_of(unread))
    seen: dict[str, Counter[str]] = {target: Counter() for target in targets}
    slices = noting(slices, seen)
    empty = empty_rows(origin, [*inputs, *targets, *([data.id] if data.id else [])])
    for number, group in enumerate(groups(cleaners)):
        own = [Tally("clean", part.kind) for part in group]
        first = len(tallies) - 1
        tallies += own
        if isinstance(group[0], SetCleaner):
            path = stored(entry / f".{number}.arrow", slices, empty)
            slices = judged(group[0], path, inputs, targets, own[0], gone)
        else:
            slices = washed(group, first, slices, inputs, tokenizer_file, own, gone, workers_for(origin.bytes))
    done = mapped(stored(entry / "rows.arrow", slices, empty))
    for stale in entry.glob(".*.arrow"):
        stale.unlink()
    keep(entry, tallies, gone)
    return {
        "rows": done.num_rows,
        "lost": {target: lost(counts, labels_of(done, target)) for target, counts in seen.items()},
    }


def noting(slices: Iterator[pa.Table], seen: dict[str, Counter[str]]) -> Iterator[pa.Table]:
    """The slices as they are, after counting the rows of each label."""
    for part in slices:
        for target, counts in seen.items():
            if len(counts) <= LABELS:
                counts.update(labels_of(part, target))
        yield part


def lost(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """The labels that no row has any more; none where a column has more values than a head could have."""
    return {label: rows for label, rows in before.items() if label not in after} if len(before) <= LABELS else {}


def groups(cleaners: Sequence[Cleaner]) -> Iterator[list[Cleaner]]:
    """Neighbours that read one text at a time go together, the others alone."""
    for whole, run in groupby(cleaners, lambda part: isinstance(part, SetCleaner)):
        together = list(run)
        yield from [[part] for part in together] if whole else [together]


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
    first: int,
    slices: Iterator[pa.Table],
    inputs: Sequence[str],
    tokenizer_file: Path | None,
    tallies: Sequence[Tally],
    gone: Ledger,
    workers: int,
) -> Iterator[pa.Table]:
    """The slices after cleaners that read one text at a time, the first of which is the file's cleaner number `first`.

    `tallies` has one a cleaner.
    """
    given = list(cleaners), first, tuple(inputs), tokenizer_file
    for part, counts, went in spread(Washer, given, map(alone, slices) if workers > 1 else slices, workers):
        for tally, more in zip(tallies, counts, strict=True):
            tally.add(more)
        gone.append(went)
        yield part


class Washer:
    """Cleaners that are set up, applied to one slice after the other."""

    def __init__(
        self, cleaners: Sequence[Cleaner], first: int, inputs: Sequence[str], tokenizer_file: Path | None
    ) -> None:
        self.inputs = inputs
        self.steps = [
            (place, part.kind, tuple(part.columns or inputs), part.ready(tokenizer_file))
            for place, part in enumerate(cleaners, first)
        ]

    def __call__(self, table: pa.Table) -> tuple[pa.Table, list[Tally], pa.RecordBatch]:
        """The rows that stay, what each cleaner did, and the rows that went."""
        import pyarrow as pa

        texts = {name: table[name].to_pylist() for name in self.inputs}
        ids, lines = table["id"].to_pylist(), table["_line"].to_pylist()
        kept = np.ones(table.num_rows, bool)
        tallies, went = [], []
        for place, kind, columns, function in self.steps:
            tally = Tally("clean", kind, rows=int(kept.sum()))
            began = time.perf_counter()
            for row in np.flatnonzero(kept).tolist():
                before = {name: texts[name][row] for name in columns}
                reason = mended(texts, row, columns, function, lines[row], place)
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
    place: int,
) -> str:
    """Clean the texts of one row in place; why it goes, or nothing."""
    for name in columns:
        try:
            found = function(texts[name][row])
        except RunnerError as error:
            raise RowFault(f"line {line}: {error.message}", error.hint, place) from error
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
    gone: Ledger,
) -> Iterator[pa.Table]:
    """The slices after a cleaner that looks at all rows at once."""
    table = mapped(path)
    tally.rows = table.num_rows
    scratch = path.with_suffix(".scratch")
    scratch.mkdir()
    began = time.perf_counter()
    kept = np.ones(table.num_rows, bool)
    found = iter(cleaner.judge(table, cleaner.columns or inputs, targets, scratch))
    shown = table.select(["id", "_line", *inputs])
    for rows in held(found, shown):
        places = np.array([each.position for each in rows])
        went = [
            Gone("", row["id"], row["_line"], cleaner.kind, each.reason, each.twin, each.flagged, text_of(row, inputs))
            for each, row in zip(rows, at(shown, places).to_pylist(), strict=True)
        ]
        kept[places[[not each.flagged for each in rows]]] = False
        for each in went:
            tally.gone(each)
        gone.append(batch_of(went))
    tally.seconds = time.perf_counter() - began
    shutil.rmtree(scratch)
    start = 0
    for part in sliced(table):
        here = kept[start : start + part.num_rows]
        start += part.num_rows
        if here.any():
            yield part.filter(here)


def held(found: Iterator[Judged], table: pa.Table) -> Iterator[list[Judged]]:
    """What was found, as many at once as have few enough rows and bytes in the table."""
    several = list(islice(found, SLICE))
    bytes_ = sizes(table)
    while several:
        for cut in cuts(bytes_[[each.position for each in several]]):
            yield several[cut]
        several = list(islice(found, SLICE))
