"""Tables in slices of few enough rows and bytes: what is made of one fits into memory, however long its texts.

And chosen rows of tables that are larger than memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SLICE = 16_384  # rows
BYTES = 4 << 20  # of a slice, unless one row has more
LARGEST = 2**31 - 1


def slices(table: pa.Table, rows: int = SLICE) -> Iterator[pa.Table]:
    """The rows in order, at most so many a slice; nothing is copied."""
    for start in range(0, table.num_rows, rows):
        part = table.slice(start, rows)
        for cut in cuts(sizes(part), rows):
            yield part.slice(cut.start, cut.stop - cut.start)


def batches(table: pa.Table, rows: int = SLICE) -> Iterator[pa.RecordBatch]:
    """The same as record batches, none of which has rows of two of the table's."""
    for batch in table.to_batches(max_chunksize=rows):
        for cut in cuts(sizes(batch), rows):
            yield batch.slice(cut.start, cut.stop - cut.start)


def cuts(sizes: np.ndarray, rows: int = SLICE, most: int | None = None) -> Iterator[slice]:
    """Runs of rows of these sizes: at least one row, at most so many, and `most` bytes unless one row has more.

    Without `most` these are `BYTES`.
    """
    import numpy as np

    most = BYTES if most is None else most
    for first in range(0, len(sizes), rows):
        ends = np.cumsum(sizes[first : first + rows], dtype=np.int64)
        start = 0
        while start < len(ends):
            before = int(ends[start - 1]) if start else 0
            end = max(start + 1, int(np.searchsorted(ends, before + most, "right")))
            yield slice(first + start, first + end)
            start = end


def sizes(rows: pa.Table | pa.RecordBatch) -> np.ndarray:
    """How many bytes each row has, int32; a value that stands in a dictionary counts in each row that holds it."""
    import numpy as np
    import pyarrow as pa

    found = np.zeros(rows.num_rows, np.int32)
    for column in rows.columns:
        start = 0
        for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
            here = found[start : start + len(chunk)]
            np.minimum(widths(chunk) + here, LARGEST, out=here, casting="unsafe")
            start += len(chunk)
    return found


def widths(values: pa.Array) -> np.ndarray:
    """How many bytes each value has, int64; of kinds that all are about as long, the mean."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_dictionary(kind):
        return filled(pa.array(widths(values.dictionary)).take(values.indices))
    if pa.types.is_struct(kind):
        parts = [widths(values.field(place)) for place in range(kind.num_fields)]
        return np.array(sum(parts, np.zeros(len(values), np.int64)))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind):
        offsets = values.offsets.to_numpy()
        inside = widths(values.values.slice(offsets[0], offsets[-1] - offsets[0]))
        return np.diff(np.append(0, np.cumsum(inside))[offsets - offsets[0]])
    try:
        return filled(pc.binary_length(values))
    except pa.ArrowNotImplementedError:
        return np.full(len(values), -(-values.nbytes // max(len(values), 1)), np.int64)


def filled(lengths: pa.Array) -> np.ndarray:
    """Lengths as numbers, 0 where there is nothing."""
    import numpy as np

    return np.asarray(lengths.fill_null(0)).astype(np.int64)


def take(batches: Sequence[pa.RecordBatch], positions: np.ndarray) -> pa.RecordBatch:
    """The rows at these positions, in any order; unlike Arrow's own, it reads only the batches that hold them."""
    import numpy as np
    import pyarrow as pa

    ends = np.cumsum([batch.num_rows for batch in batches])
    sorted_ = bool((positions[1:] >= positions[:-1]).all())
    order = None if sorted_ else np.argsort(positions, kind="stable")
    ordered = positions if order is None else positions[order]
    places = np.searchsorted(ends, ordered, "right")
    cuts = np.flatnonzero(np.diff(places, prepend=-1, append=-1)).tolist()
    parts = []
    for start, end in pairwise(cuts):
        batch = batches[places[start]]
        parts.append(batch.take(pa.array(ordered[start:end] - (ends[places[start]] - batch.num_rows))))
    if not parts:
        return batches[0].slice(0, 0)
    found = pa.concat_batches(parts)
    return found if order is None else found.take(pa.array(np.argsort(order)))
