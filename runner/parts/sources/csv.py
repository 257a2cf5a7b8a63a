"""CSV: comma-separated values under a header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.parts.sources._delimited import delimited
from runner.parts.sources._source import Source

if TYPE_CHECKING:
    import pyarrow as pa


class Csv(Source):
    """Comma-separated values in UTF-8; the first line names the columns, values are kept exactly as written.

    ```toml
    type = "csv"
    ```
    """

    kind: ClassVar[str] = "csv"
    endings: ClassVar[tuple[str, ...]] = (".csv",)

    type: Literal["csv"]
    """The kind of file."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        return delimited(path, ",")
