"""Exact duplicates: rows whose texts are those of a row that stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from runner.parts.cleaners._cleaner import Judged, SetCleaner
from runner.parts.cleaners._shingles import key

if TYPE_CHECKING:
    import pyarrow as pa


class ExactDuplicates(SetCleaner):
    """Drop rows with the same texts as another; the first by id stays.

    ```toml
    type = "exact_duplicates"
    ```
    """

    kind: ClassVar[str] = "exact_duplicates"

    type: Literal["exact_duplicates"]
    """The kind of cleaner."""

    def judge(
        self, table: pa.Table, inputs: Sequence[str], targets: Sequence[str], scratch: Path
    ) -> Iterator[Judged]:
        import numpy as np
        import pyarrow.compute as pc

        if not table.num_rows:
            return
        content, label = hashed(table, inputs), hashed(table, targets)
        rank = np.empty(table.num_rows, np.int64)
        rank[np.asarray(pc.sort_indices(table["id"])).astype(np.int64)] = np.arange(table.num_rows)
        order = np.lexsort((rank, content))
        new = np.r_[True, content[order][1:] != content[order][:-1]]
        first = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
        for position, twin in zip(order[~new].tolist(), first[~new].tolist(), strict=True):
            other = "" if label[position] == label[twin] else " with another label"
            yield Judged(position, f"the same text{other}", table["id"][twin].as_py())


def hashed(table: pa.Table, columns: Sequence[str]) -> Any:
    """A number for what each row has in some columns."""
    import numpy as np

    parts = []
    for batch in table.select(list(columns)).to_batches(max_chunksize=16_384):
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        parts.append(b"".join(key("\x1f".join(row)) for row in rows))
    return np.frombuffer(b"".join(parts), np.uint64)
