"""Groups: what `by` and `cluster` of `[evaluate]` name must be columns of the data that do tell rows apart, or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runner.data.faults import RESERVED
from runner.data.load import Loaded
from runner.errors import did_you_mean
from runner.plan.faults import Faults, Where
from runner.spec.read import Spec

if TYPE_CHECKING:
    import pyarrow as pa

LENGTH = "length_bucket"  # groups by words of the input, where no file has a column of that name
MOST = 100  # groups of one column


def groups(spec: Spec, loaded: Mapping[str, Loaded], faults: Faults) -> None:
    """Each column of `by` makes groups, and that of `cluster` more than one cluster."""
    rule = spec.experiment.evaluate
    tables = [each.splits[judged(each)] for each in loaded.values()] if rule.by or rule.cluster else []
    for place, column in enumerate(rule.by):
        where = ("evaluate", "by", place)
        values = counted(column, tables, where, faults, LENGTH)
        if values > MOST:
            message = f"`{column}` has {values:,} values: that many groups tell nothing apart"
            faults.add("groups", where, message, f"name a column with at most {MOST} values", "value")
    if rule.cluster is not None and counted(rule.cluster, tables, ("evaluate", "cluster"), faults) == 1:
        message = f"`{rule.cluster}` has the same value in all rows: there is but one cluster to draw"
        faults.add("groups", ("evaluate", "cluster"), message, "leave it out, or name another column", "value")


def counted(column: str, tables: Sequence[pa.Table], where: Where, faults: Faults, *more: str) -> int:
    """How many values a column has; 0 where it has no words, which is a fault unless its name is one of `more`."""
    having = [table for table in tables if column in columns([table])]
    if not having and tables and column not in more:
        hint = did_you_mean(column, [*columns(tables), *more])
        faults.add("groups", where, f"no data set has a column `{column}`", hint, "value")
    elif any(table.schema.field(column).type in binary() for table in having):
        faults.add("groups", where, f"`{column}` holds bytes", "name a column with one text or number", "value")
        return 0
    return len({name for table in having for name in names_of(table, column)})


def judged(loaded: Loaded) -> str:
    """The split that a data set is judged by."""
    return "test" if "test" in loaded.splits else "validation"


def columns(tables: Sequence[pa.Table]) -> list[str]:
    """The columns of the files, without those that tell their rows apart."""
    return list(dict.fromkeys(name for table in tables for name in table.column_names if name not in RESERVED))


def binary() -> tuple[pa.DataType, ...]:
    """Types of columns that hold no words."""
    import pyarrow as pa

    return pa.binary(), pa.large_binary()


def names_of(table: pa.Table, column: str) -> list[str]:
    """The group of each row; `(none)` where its file lacks the column or it has no value."""
    from runner.profile.profile import NONE, named

    if column not in columns([table]):
        return [NONE] * table.num_rows
    found: list[str] = named(table[column]).to_pylist()
    return found
