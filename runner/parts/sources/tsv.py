"""TSV: tab-separated values under a header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.parts.sources._delimited import delimited
from runner.parts.sources._source import Source

if TYPE_CHECKING:
    import pyarrow as pa


class Tsv(Source):
    """Tab-separated values in UTF-8 with quotes as in CSV; the first line names the columns.

    ```toml
    type = "tsv"
    ```
    """

    kind: ClassVar[str] = "tsv"
    endings: ClassVar[tuple[str, ...]] = (".tsv",)

    type: Literal["tsv"]
    """The kind of file."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        return delimited(path, "\t")
