"""The column `groups` of data: in every file, one value a row. It changes no row and no key but that of profiles."""

from __future__ import annotations

from collections.abc import Mapping

from runner.data.faults import RESERVED, Fault
from runner.data.read import Origin
from runner.errors import did_you_mean


def groups_faults(column: str | None, origins: Mapping[str, Origin]) -> list[Fault]:
    """Why the rows can't be grouped by a column."""
    if column is None:
        return []
    if column in RESERVED:
        return [Fault(("groups",), f"the column name `{column}` is reserved", f"rename the column `{column}`")]
    faults = []
    for origin in origins.values():
        named = [name for name in origin.kinds if name not in RESERVED]
        if column not in named:
            message = f"`{origin.written}` has no column `{column}`"
            faults.append(Fault(("groups",), message, did_you_mean(column, named)))
        elif origin.kinds[column] != "texts":
            message = f"`{origin.written}`: column `{column}` holds {origin.kinds[column]}"
            faults.append(Fault(("groups",), message, "name a column with one text or number a row"))
    return faults
