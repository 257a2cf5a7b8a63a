"""The columns that a spec wants of every file: texts and labels that tasks read, the id, and `groups`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from runner.data.faults import RESERVED, Fault
from runner.data.read import Origin
from runner.errors import did_you_mean
from runner.spec.tables import Data


def wanted_faults(
    data: Data,
    origins: Mapping[str, Origin],
    inputs: Sequence[str],
    targets: Sequence[str],
    nested: Collection[str] = (),
) -> list[Fault]:
    """What is wrong with them, a fault a column whatever the number of files."""
    faults = []
    for column in dict.fromkeys([*inputs, *targets]):
        faults += reserved(("train",), column) or faults_of(None, column, origins, nested)
    for key, name in (("id", data.id), ("groups", data.groups)):
        if name is not None:
            own = key == "id" and name == "id"  # a file's own ids may have that name
            faults += ([] if own else reserved((key,), name)) or faults_of((key,), name, origins)
    return faults


def reserved(where: tuple[str, ...], column: str) -> list[Fault]:
    """A fault if the column has the name of one of ours."""
    if column not in RESERVED:
        return []
    return [Fault(where, f"the column name `{column}` is reserved", f"rename the column `{column}`")]


def faults_of(
    where: tuple[str, ...] | None, column: str, origins: Mapping[str, Origin], nested: Collection[str] = ()
) -> list[Fault]:
    """Where files lack a column that is wanted, or hold no texts in it; by default at the first such file."""
    faults = []
    lacking = [split for split, origin in origins.items() if column not in origin.kinds]
    if lacking:
        *most, last = dict.fromkeys(f"`{origins[split].written}`" for split in lacking)
        files = f"{', '.join(most)} and {last}" if most else last
        message = f"{files} {'have' if most else 'has'} no column `{column}`"
        hint = did_you_mean(column, [*origins[lacking[0]].kinds])
        faults.append(Fault(where or (lacking[0],), message, hint, "" if where else column))
    for split, origin in origins.items():
        if column in origin.kinds and not origin.holds([column], nested):
            message = f"`{origin.written}`: column `{column}` holds {origin.kinds[column]}"
            hint = "name a column with one text or number a row"
            faults.append(Fault(where or (split,), message, hint, "" if where else column))
    return faults
