"""Arrow tables on disk: uncompressed IPC files, written batch by batch and opened memory-mapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from runner.parts.slices import SLICE, batches, cuts, sizes, slices, take

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["SLICE", "alone", "at", "batches", "cuts", "mapped", "sizes", "slices", "taken", "write"]


def write(path: Path, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches of one schema, at least one; the count of their rows."""
    import pyarrow as pa

    stream = iter(batches)
    first = next(stream)
    rows = 0
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, first.schema) as writer:
        for batch in chain([first], stream):
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def mapped(path: Path) -> pa.Table:
    """The table of a file, without reading it into memory."""
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def taken(table: pa.Table, index: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The rows at these ascending positions, batch by batch; one empty batch when there are none."""
    import numpy as np
    import pyarrow as pa

    chosen = np.zeros(table.num_rows, bool)
    chosen[index] = True
    start = 0
    for batch in batches(table):
        here = chosen[start : start + batch.num_rows]
        start += batch.num_rows
        if here.any():
            yield batch if here.all() else batch.filter(pa.array(here))
    if not len(index):
        yield pa.RecordBatch.from_pylist([], table.schema)


def at(table: pa.Table, positions: np.ndarray) -> pa.Table:
    """The rows at these positions, in any order; unlike Arrow's `take`, it doesn't copy whole columns into memory."""
    import pyarrow as pa

    return pa.Table.from_batches([take(table.to_batches(), positions)]) if len(positions) else table.slice(0, 0)


def alone(part: pa.Table) -> pa.Table:
    """A slice in buffers of its own: pickled, it would take those of the whole table along."""
    import numpy as np
    import pyarrow as pa

    return part.take(pa.array(np.arange(part.num_rows)))
