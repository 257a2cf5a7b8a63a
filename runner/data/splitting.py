"""The stage `split`: the rows of each split without those that leak, and why there would be none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.data.account import Ledger, Tally, keep
from runner.data.clean import Cleaned
from runner.data.counts import count
from runner.data.emptied import emptied, taken_away
from runner.data.faults import DataFaults, Fault
from runner.data.leakage import leaks
from runner.data.prepare import unique_ids
from runner.data.read import Origin
from runner.data.split import Rows, split
from runner.data.tables import mapped, taken, write
from runner.spec.tables import Data

if TYPE_CHECKING:
    import pyarrow as pa


def write_splits(
    name: str,
    data: Data,
    origins: Mapping[str, Origin],
    cleaned: Mapping[str, Cleaned],
    inputs: Sequence[str],
    targets: Sequence[str],
    entry: Path,
) -> dict[str, Any]:
    """Build the stage `split`: a table a split without rows that leak, and how often each label occurs."""
    faults: list[Fault] = []
    files = {each: found.table for each, found in cleaned.items()}
    if data.id is not None:
        unique_ids({each: (origins[each].written, files[each]) for each in files}, faults)
    rows = split(data, files, faults)
    for each in {fault.where[0] for fault in faults if fault.where[1:] == ("values",)}:
        away = taken_away(str(each), data, origins, cleaned)
        faults = [fault for fault in faults if not away or fault.where != (each, "values")] + away
    empty = [each for each in rows if not len(rows[each].index) and not follows(each, data, cleaned, rows)]
    faults += [emptied(each, data, origins, cleaned, rows) for each in empty if not faults]
    if faults:
        raise DataFaults(name, faults)
    for split_name, part in rows.items():
        write(entry / f"{split_name}.arrow", taken(renamed(files[part.origin]), part.index))
    gone = Ledger(entry)
    tallies = leaks(entry, list(rows), inputs, data.leakage, gone)
    faults = leak_faults(data, tallies, entry)
    if faults:
        raise DataFaults(name, faults)
    keep(entry, tallies, gone)
    origin = {each: part.origin for each, part in rows.items()}
    return {"rows": count(entry, rows, targets, origin=origin)["rows"]}


def follows(split: str, data: Data, cleaned: Mapping[str, Cleaned], rows: Mapping[str, Rows]) -> bool:
    """Whether a split has no rows since the file it is taken out of has none, which is told by itself."""
    return split in data.rules and not cleaned[rows[split].origin].table.num_rows


def leak_faults(data: Data, tallies: Sequence[Tally], entry: Path) -> list[Fault]:
    """Rows that leak where that is an error, and a split that has no other rows."""
    faults = []
    for tally in tallies:
        if not tally.dropped:
            continue
        said = ", ".join(f"{count:,} {reason}" for reason, count in tally.dropped.items())
        first = next(iter(tally.samples.values()))[0]
        message = f"of {tally.rows:,} rows of `{tally.split}` these leak: {said}; such as {first['before']!r}"
        if data.leakage == "error":
            faults.append(Fault(("leakage",), message, 'take them out, or write `leakage = "drop"`'))
        elif not mapped(entry / f"{tally.split}.arrow").num_rows:
            faults.append(Fault((tally.split,), f"`{tally.split}` would be empty: {message}", "name other rows"))
    return faults


def renamed(table: pa.Table) -> pa.Table:
    """The rows with `id` and `line` in front."""
    kept = [name for name in table.column_names if name not in ("id", "_content", "_line")]
    return table.select(["id", "_line", *kept]).rename_columns(["id", "line", *kept])
