"""Parquet: columns with types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.errors import RunnerError
from runner.parts.sources._source import LINE, Source, encoded

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 4096


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
                yield from encoded(numbered(file.iter_batches(ROWS), file.schema_arrow), path)
        except (pa.ArrowInvalid, OSError) as error:
            raise RunnerError(f"`{path.name}` is no readable Parquet file: {error}", "write the file again") from error


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
