"""From columns as a file has them to rows with an id and text in every input and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from runner.data.columns import as_text, kind_of, lacking
from runner.data.faults import Fault, counted
from runner.data.identify import Identity, by_column, by_content, keys, repeats
from runner.data.read import Origin
from runner.errors import did_you_mean
from runner.spec.tables import Data

if TYPE_CHECKING:
    import pyarrow as pa

NAMED = 5
RESERVED = ("id", "line", "file", "_line")


class Skipped(NamedTuple):
    """A row that was left out of a file."""

    line: int
    reason: str


@dataclass(frozen=True)
class Prepared:
    """The rows of one file that stay, with their identity, and those that were left out."""

    table: pa.Table
    identity: Identity
    skipped: list[Skipped]


def prepare(
    data: Data, origins: Mapping[str, Origin], inputs: Sequence[str], targets: Sequence[str], faults: list[Fault]
) -> dict[str, Prepared]:
    """The rows of each split that is a file; what is wrong is added to `faults`."""
    wanted = list(dict.fromkeys([*inputs, *targets]))
    for name in wanted:
        if name in RESERVED:
            faults.append(Fault(("train",), f"the column name `{name}` is reserved", f"rename the column `{name}`"))
    done = {}
    for split, origin in origins.items():
        table = texts_of(split, origin, data, wanted, faults)
        if table is not None:
            done[split] = identified(table, data, inputs, wanted, where=(split,), name=origin.written, faults=faults)
    if data.id is not None:
        unique_ids({split: (origins[split].written, done[split]) for split in done}, faults)
    return done


def texts_of(split: str, origin: Origin, data: Data, wanted: list[str], faults: list[Fault]) -> pa.Table | None:
    """The file's table with the wanted columns and the id as strings; None where one of them can't be had."""
    table, before = origin.table, len(faults)
    for name in [*wanted, *([data.id] if data.id else [])]:
        where = ("id",) if name == data.id else (split,)
        if name not in origin.available:
            hint = did_you_mean(name, origin.available)
            faults.append(Fault(where, f"`{origin.written}` has no column `{name}`", hint))
            continue
        column = as_text(table[name])
        if column is None:
            holds = f"`{origin.written}`: column `{name}` holds {kind_of(table[name])}"
            faults.append(Fault(where, holds, "name a column with one text or number a row"))
            continue
        table = table.set_column(table.column_names.index(name), name, column)
    return table if len(faults) == before else None


def identified(
    table: pa.Table,
    data: Data,
    inputs: Sequence[str],
    wanted: list[str],
    where: tuple[str, ...],
    name: str,
    faults: list[Fault],
) -> Prepared:
    """The rows whose texts are there, with their ids."""
    rows, reasons = lacking(table, wanted)
    lines = table["_line"].take(rows).to_pylist()
    if len(rows) and data.empty_text == "error":
        faults.append(empty_fault(where, name, lines, reasons))
    if data.id is not None:
        nameless, why = lacking(table, [data.id])
        if len(nameless):
            told = places(table["_line"].take(nameless).to_pylist(), why)
            faults.append(Fault(("id",), f"`{name}` has {counted(len(nameless), 'row')} without an id: {told}"))
    if len(rows):
        kept = np.ones(table.num_rows, bool)
        kept[rows] = False
        table = table.filter(kept)
    identity = by_column(table[data.id].fill_null("")) if data.id is not None else by_content(table, inputs)
    return Prepared(table, identity, [Skipped(*each) for each in zip(lines, reasons, strict=True)])


def empty_fault(where: tuple[str, ...], name: str, lines: list[int], reasons: list[str]) -> Fault:
    message = f"`{name}` has {counted(len(lines), 'row')} with an empty text or label: {places(lines, reasons)}"
    return Fault(where, message, 'fill them in, or write `empty_text = "drop"`')


def places(lines: list[int], reasons: list[str]) -> str:
    """The first few places in words."""
    told = [f"line {line} ({reason})" for line, reason in zip(lines[:NAMED], reasons, strict=False)]
    return ", ".join(told) + (f" and {len(lines) - NAMED} more" if len(lines) > NAMED else "")


def unique_ids(files: Mapping[str, tuple[str, Prepared]], faults: list[Fault]) -> None:
    """Each id may occur once in all files of the data set."""
    known = list(files.values())
    if not known:
        return
    hashed = np.concatenate([keys(prepared.identity.ids) for _, prepared in known])
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


def place(known: list[tuple[str, Prepared]], row: int, part: int) -> str:
    """Of a row counted through all files: its id (part 0), or its file and line (part 1)."""
    for name, prepared in known:
        if row < prepared.table.num_rows:
            line = prepared.table["_line"][row].as_py()
            return (prepared.identity.ids[row].as_py(), f"{name} line {line}")[part]
        row -= prepared.table.num_rows
    raise IndexError(row)
