"""The stage `split`: the rows of each split without those that leak, and why there would be none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.data.account import Ledger, Tally, facts_of, keep
from runner.data.clean import Cleaned, cleaners_of
from runner.data.counts import count
from runner.data.faults import DataFaults, Fault
from runner.data.faults import counted as plural
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
    empty = [each for each in rows if not len(rows[each].index) and not follows(each, data, cleaned, rows)]
    faults += [empty_split(each, data, origins, cleaned, rows) for each in empty if not faults]
    if faults:
        raise DataFaults(name, faults)
    for split_name, part in rows.items():
        write(entry / f"{split_name}.arrow", taken(renamed(files[part.origin]), part.index))
    origin = {each: part.origin for each, part in rows.items()}
    del rows
    gone = Ledger(entry)
    tallies = leaks(entry, list(origin), inputs, data.leakage, gone)
    faults = leak_faults(data, tallies, entry)
    if faults:
        raise DataFaults(name, faults)
    keep(entry, tallies, gone)
    return {"rows": count(entry, origin, targets, origin=origin)["rows"]}


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


def empty_split(
    name: str, data: Data, origins: Mapping[str, Origin], cleaned: Mapping[str, Cleaned], rows: Mapping[str, Rows]
) -> Fault:
    """Why a split has no rows."""
    rule = data.rules.get(name)
    if rule is not None:
        source = rows[rule.from_]
        count = len(source.index)
        share = f"fraction {rule.fraction:g}" if rule.fraction else f"`{rule.column}`"
        message = f"`{name}` would be empty: {share} of the {plural(count, 'row')} of `{rule.from_}` gives none"
        return Fault((name,), message, "take a larger fraction, or name a file")
    written = origins[name].written
    if cleaned[name].table.num_rows:
        return Fault((name,), f"`{name}` would be empty: the other splits take all rows of `{written}`")
    for place, facts in zip([-1, *cleaners_of(data, name)], facts_of(cleaned[name].entry), strict=True):
        if facts["rows"] and not facts["kept"]:
            lost = ", ".join(f"{count:,} {reason}" for reason, count in facts["dropped"].items())
            if place < 0:
                lost = f"all rows of `{written}` ({facts['rows']}) lack a text or label"
                return Fault((name,), f"`{name}` would be empty: {lost}")
            everything = f"all {facts['rows']} rows" if facts["rows"] > 1 else "the only row"
            message = f"`{name}` would be empty: `{facts['step']}` drops {everything} of `{written}`: {lost}"
            return Fault(("clean", place), message, "loosen it, or leave it out")
    return Fault((name,), f"`{name}` would be empty: `{written}` has no rows")
