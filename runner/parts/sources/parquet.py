"""Parquet: columns with types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.errors import RunnerError
from runner.parts.slices import BYTES, cuts
from runner.parts.sources._source import LINE, Source, encoded

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS = 4096  # of a batch, unless they have more bytes than a slice


class Parquet(Source):
    """A Parquet file with its own column types; rows are counted instead of lines.

    ```toml
    type = "parquet"
    ```
    """

    kind: ClassVar[str] = "parquet"
    endings: ClassVar[tuple[str, ...]] = (".parquet",)

    type: Literal["parquet"]
    """The kind of file."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as file:
                names = file.schema_arrow.names
                if LINE in names or len(set(names)) < len(names):
                    hint = "rename the column"
                    raise RunnerError(f"`{path.name}` has a column twice, or one with the reserved name `{LINE}`", hint)
                yield from encoded(numbered(streamed(file), file.schema_arrow), path)
        except (pa.ArrowInvalid, OSError) as error:
            raise RunnerError(f"`{path.name}` is no readable Parquet file: {error}", "write the file again") from error


def streamed(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """All rows; as many row groups at once as a slice may have bytes, since Arrow holds on to all that it is given."""
    import numpy as np

    groups = [file.metadata.row_group(place) for place in range(file.num_row_groups)]
    for run in cuts(np.array([each.total_byte_size for each in groups], np.int64)):
        rows = sum(each.num_rows for each in groups[run])
        bytes_ = sum(each.total_byte_size for each in groups[run])
        yield from file.iter_batches(max(1, min(ROWS, BYTES * rows // max(1, bytes_))), range(run.start, run.stop))


def numbered(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The batches with the number of each row; one empty batch when there are none."""
    import pyarrow as pa

    start = 0
    for batch in batches:
        line = pa.array(range(start + 1, start + batch.num_rows + 1), pa.int64())
        start += batch.num_rows
        yield batch.append_column(LINE, line)
    if not start:
        yield pa.RecordBatch.from_pylist([], schema.append(pa.field(LINE, pa.int64())))
