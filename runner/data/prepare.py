"""From columns as a file has them to rows with an id and text in every input and target, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from runner.data.columns import as_text, lacking
from runner.data.faults import RESERVED, Fault, counted
from runner.data.identify import contents, keys, numbered, repeats
from runner.data.read import Origin
from runner.data.tables import slices
from runner.spec.tables import Data

if TYPE_CHECKING:
    import pyarrow as pa

NAMED = 5


class Skipped(NamedTuple):
    """A row that was left out of a file."""

    line: int
    reason: str


def texts_of(origin: Origin, columns: Sequence[str], inputs: Sequence[str]) -> Iterator[pa.Table]:
    """The file's rows with these columns as strings, slice by slice; lists of words in `inputs` become texts."""
    for part in slices(origin.table):
        for name in columns:
            text = as_text(part[name], words=name in inputs)
            part = part.set_column(part.column_names.index(name), name, text)
        yield part


def identified(
    split: str, origin: Origin, data: Data, inputs: Sequence[str], targets: Sequence[str]
) -> tuple[Iterator[pa.Table], list[Skipped], list[Fault]]:
    """The rows whose texts are there, slice by slice, those that are left out, and what is wrong with them."""
    wanted = list(dict.fromkeys([*inputs, *targets, *([data.id] if data.id else [])]))
    needed = [name for name in wanted if name != data.id or name in (*inputs, *targets)]
    skipped: list[Skipped] = []
    nameless: list[Skipped] = []
    of_content, of_target = [], []
    for part in texts_of(origin, wanted, inputs):
        part, gone = whole(part, needed)
        skipped += gone
        if data.id is not None:
            nameless += whole(part, [data.id])[1]
        else:
            of_content.append(contents(part, inputs))
            of_target.append(contents(part, targets))
    faults = []
    if skipped and data.empty_text == "error":
        faults.append(empty_fault((split,), origin.written, skipped))
    if nameless:
        told = f"{counted(len(nameless), 'row')} without an id: {places(nameless)}"
        faults.append(Fault(("id",), f"`{origin.written}` has {told}"))
    content, target = (np.concatenate(of or [np.empty(0, np.uint64)]) for of in (of_content, of_target))
    del of_content, of_target
    earlier = repeats(content, target)
    return named(origin, wanted, needed, inputs, data.id, content, earlier), skipped, faults


def named(
    origin: Origin,
    wanted: Sequence[str],
    needed: Sequence[str],
    inputs: Sequence[str],
    id: str | None,
    content: np.ndarray,
    earlier: np.ndarray,
) -> Iterator[pa.Table]:
    """The slices with `id` and `_content` in front."""
    start = 0
    for part in texts_of(origin, wanted, inputs):
        part = whole(part, needed)[0]
        end = start + part.num_rows
        if id is not None:
            ids = same = part[id].fill_null("").combine_chunks()
        else:
            same, ids = numbered(content[start:end], earlier[start:end])
        start = end
        kept = part.select([name for name in part.column_names if name not in RESERVED])
        kept = kept.add_column(0, "id", ids).add_column(1, "_content", same)
        yield kept.append_column("_line", part["_line"])


def whole(table: pa.Table, columns: Sequence[str]) -> tuple[pa.Table, list[Skipped]]:
    """The rows where none of the columns is empty, and the others."""
    rows, reasons = lacking(table, columns)
    if not len(rows):
        return table, []
    lines = table["_line"].take(rows).to_pylist()
    kept = np.ones(table.num_rows, bool)
    kept[rows] = False
    return table.filter(kept), [Skipped(*each) for each in zip(lines, reasons, strict=True)]


def empty_fault(where: tuple[str, ...], name: str, skipped: Sequence[Skipped]) -> Fault:
    message = f"`{name}` has {counted(len(skipped), 'row')} with an empty text or label: {places(skipped)}"
    return Fault(where, message, 'fill them in, or write `empty_text = "drop"`')


def places(skipped: Sequence[Skipped]) -> str:
    """The first few places in words."""
    told = [f"line {line} ({reason})" for line, reason in skipped[:NAMED]]
    return ", ".join(told) + (f" and {len(skipped) - NAMED} more" if len(skipped) > NAMED else "")


def unique_ids(files: Mapping[str, tuple[str, pa.Table]], faults: list[Fault]) -> None:
    """Each id may occur once in all files of the data set."""
    known = list(files.values())
    if not known:
        return
    hashed = np.concatenate([keys(table["id"]) for _, table in known])
    again = np.flatnonzero(repeats(hashed) > 0)
    told = []
    for row in again[:NAMED].tolist():
        first = int(np.flatnonzero(hashed == hashed[row])[0])
        told.append(f"`{place(known, first, 0)}` {place(known, first, 1)} and {place(known, row, 1)}")
    if told:
        more = f"; and {len(again) - NAMED} more" if len(again) > NAMED else ""
        faults.append(
            Fault(
                ("id",),
                f"{counted(len(again), 'row')} with the id of another: {'; '.join(told)}{more}",
                "name a column of unique ids",
            )
        )


def place(known: list[tuple[str, pa.Table]], row: int, part: int) -> str:
    """Of a row counted through all files: its id (part 0), or its file and line (part 1)."""
    for name, table in known:
        if row < table.num_rows:
            return (table["id"][row].as_py(), f"{name} line {table['_line'][row].as_py()}")[part]
        row -= table.num_rows
    raise IndexError(row)
