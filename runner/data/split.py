"""Rows taken out of another split, by a hash of what they are: adding rows moves no other row.

A row belongs to the taken split if u < fraction, where u in [0, 1) is the hash of its content (or of its group). Two
splits taken from the same rows use neighbouring intervals of u, so they never overlap. With `stratify` each class gives
the fraction in expectation, not exactly; only where a class would be missing on one side does one content of it move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from runner.data.columns import as_text, kind_of
from runner.data.faults import Fault, counted
from runner.data.identify import keys
from runner.data.prepare import Skipped, places
from runner.data.strata import REST, cover
from runner.data.tables import at
from runner.errors import did_you_mean
from runner.parts.cleaners._entries import spans
from runner.spec.tables import Data, Split

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 10
OURS = ("id", "_content", "_line")


@dataclass(frozen=True)
class Rows:
    """Rows of a split: positions in the table of the split whose file they come from."""

    origin: str
    index: np.ndarray


def split(data: Data, files: Mapping[str, pa.Table], faults: list[Fault]) -> dict[str, Rows]:
    """Which rows each split has, in the order train, validation, test."""
    rows = {name: Rows(name, np.arange(table.num_rows, dtype=np.int32)) for name, table in files.items()}
    rules = data.rules
    waiting = {rule.from_ for rule in rules.values()}
    while ready := sorted(waiting & rows.keys()):
        source = ready[0]
        waiting.discard(source)
        taken = {name: rule for name, rule in rules.items() if rule.from_ == source}
        rows |= divide(source, taken, rows[source], files[rows[source].origin], faults)
    for name, rule in rules.items():
        if name not in rows:
            hint = "take it from a split that is a file"
            faults.append(Fault((name, "from"), f"`{name}` is taken from `{rule.from_}`, which has no rows", hint))
    return {name: rows[name] for name in ("train", "validation", "test") if name in rows}


def divide(
    source: str, rules: Mapping[str, Split], rows: Rows, table: pa.Table, faults: list[Fault]
) -> dict[str, Rows]:
    """The rows of the splits taken from `source`, and what remains of it."""
    wanted = {word for rule in rules.values() for word in (rule.column, rule.stratify, rule.group) if word}
    if len(rows.index) < table.num_rows:
        known = ["_content", "_line", *sorted(wanted & set(table.column_names))]
        table = at(table.select(known), rows.index) if wanted <= set(table.column_names) else table
    contents = table["_content"]
    section = np.full(len(rows.index), REST, np.int8)
    names = list(rules)
    for number, name in enumerate(names):
        if rules[name].column is not None:
            by_values(name, number, rules[name], table, section, faults)
    fractions = {number: rules[name] for number, name in enumerate(names) if rules[name].fraction is not None}
    if fractions and agree(source, names, fractions, faults):
        by_fractions(source, names, fractions, table, contents, section, faults)
    parts = {name: rows.index[section == number] for number, name in enumerate(names)}
    return {name: Rows(rows.origin, index) for name, index in {**parts, source: rows.index[section == REST]}.items()}


def by_values(name: str, number: int, rule: Split, table: pa.Table, section: np.ndarray, faults: list[Fault]) -> None:
    """Put the rows whose column has one of the values into the section."""
    import pyarrow.compute as pc

    column = column_of(name, "column", str(rule.column), table, faults)
    if column is None:
        return
    for value in rule.values or []:
        here = np.asarray(pc.fill_null(pc.equal(column, value), False))
        if not here.any():
            occurring = sorted(pc.unique(column).drop_null().to_pylist())
            listed = ", ".join(f"`{each}`" for each in occurring[:SHOWN]) + (", ..." if len(occurring) > SHOWN else "")
            faults.append(Fault((name, "values"), f"`{rule.column}` never is `{value}`", f"it is one of {listed}"))
        elif (section[here] != REST).any():
            faults.append(Fault((name, "values"), f"`{value}` belongs to two splits", "name it in one of them"))
        section[here] = number


def agree(source: str, names: list[str], rules: Mapping[int, Split], faults: list[Fault]) -> bool:
    """Whether the fractions of one source leave something and keep the same groups together."""
    before = len(faults)
    last = names[max(rules)]
    total = sum(rule.fraction or 0 for rule in rules.values())
    if total >= 1:
        hint = f"something must remain in `{source}`"
        faults.append(Fault((last, "fraction"), f"the fractions taken from `{source}` sum to {total:g}", hint))
    if len({rule.group for rule in rules.values()}) > 1:
        message = f"the splits taken from `{source}` keep different groups together"
        faults.append(Fault((last,), message, "give both the same `group`"))
    return len(faults) == before


def by_fractions(
    source: str,
    names: list[str],
    rules: Mapping[int, Split],
    table: pa.Table,
    contents: pa.ChunkedArray,
    section: np.ndarray,
    faults: list[Fault],
) -> None:
    """Put the rows whose u lies in the interval of a split into its section."""
    salt = b"split:" if source == "train" else f"split:{source}:".encode()
    group = next((rule.group for rule in rules.values() if rule.group), None)
    units = contents if group is None else groups_of(names[min(rules)], group, table, faults)
    if units is None:
        return
    hashed = keys(units, salt)
    for here in spans(len(hashed)):
        u, free, start = hashed[here] / 2**64, section[here] == REST, 0.0
        for number, rule in rules.items():
            end = start + (rule.fraction or 0)
            section[here][free & (u >= start) & (u < end)] = number
            start = end
    for column in dict.fromkeys(rule.stratify for rule in rules.values() if rule.stratify):
        numbers = [number for number, rule in rules.items() if rule.stratify == column]
        classes = column_of(names[numbers[0]], "stratify", column, table, faults)
        if classes is not None:
            cover(numbers, ranks(classes.fill_null("")), hashed, section)


def ranks(classes: pa.ChunkedArray) -> np.ndarray:
    """Each row's class as its place among the sorted classes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ordered = pa.array(sorted(pc.unique(classes).to_pylist()), pa.string())
    return np.asarray(pc.index_in(classes, ordered))


def groups_of(name: str, group: str, table: pa.Table, faults: list[Fault]) -> pa.ChunkedArray | None:
    """The group of each row."""
    column = column_of(name, "group", group, table, faults)
    if column is None or not column.null_count:
        return column
    lines = table["_line"].filter(column.is_null()).to_pylist()
    told = places([Skipped(line, "missing") for line in lines])
    faults.append(
        Fault((name, "group"), f"{counted(len(lines), 'row')} without `{group}`: {told}", "fill the column in")
    )
    return None


def column_of(name: str, word: str, column: str, table: pa.Table, faults: list[Fault]) -> pa.ChunkedArray | None:
    """A column as text, or a fault at the word of the rule that names it."""
    available = [each for each in table.column_names if each not in OURS]
    if column not in available:
        faults.append(Fault((name, word), f"there is no column `{column}`", did_you_mean(column, available)))
        return None
    text = as_text(table[column])
    if text is None or kind_of(table[column]) != "texts":
        faults.append(
            Fault((name, word), f"column `{column}` holds {kind_of(table[column])}", "name a column of texts")
        )
    return text
