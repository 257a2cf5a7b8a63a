"""Plain text: a row a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.errors import RunnerError
from runner.parts.sources._source import Faults, Row, Source, lines, stacked

if TYPE_CHECKING:
    import pyarrow as pa


class Text(Source):
    """Plain text in UTF-8: each line that is not blank is a row with the column `text`.

    ```toml
    type = "text"
    ```
    """

    kind: ClassVar[str] = "text"
    endings: ClassVar[tuple[str, ...]] = (".txt", ".text")

    type: Literal["text"]
    """The kind of file."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        faults = Faults(path)
        yield from stacked(rows(path, faults), [("text", pa.string())])
        faults.refuse()


def rows(path: Path, faults: Faults) -> Iterator[Row]:
    """The lines that are not blank, without their ends."""
    found = False
    for number, line in enumerate(lines(path, faults), 1):
        if line.strip():
            found = True
            yield Row(number, len(line), (line.rstrip("\r\n"),))
    if not found:
        raise RunnerError(f"`{path.name}` is empty", "write one text a line")
