"""How many rows and labels the tables of a stage have, counted once, when it is built."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.data.tables import mapped

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "about.json"
LABELS = 10_000  # more values than these are no labels


def count(entry: Path, splits: Iterable[str], targets: Sequence[str], **more: Any) -> dict[str, Any]:
    """Write `rows` of each split and `labels` of each target and split beside the tables, and what else is known."""
    tables = {name: mapped(entry / f"{name}.arrow") for name in splits}
    labels = {target: {name: tally(table, target) for name, table in tables.items()} for target in targets}
    found = {"rows": {name: table.num_rows for name, table in tables.items()}, "labels": labels, **more}
    (entry / FILE).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return found


def counted(entry: Path) -> dict[str, Any]:
    """What `count` wrote."""
    return dict(json.loads((entry / FILE).read_bytes()))


def tally(table: pa.Table, column: str) -> dict[str, int]:
    """Rows by label; nothing where a column has more values than a head could have."""
    import pyarrow.compute as pc

    found = pc.value_counts(table[column])
    if len(found) > LABELS:
        return {}
    return dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))
