"""Plain text whose rows are paragraphs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.errors import RunnerError
from runner.parts.sources._source import Faults, Row, Source, lines, stacked

if TYPE_CHECKING:
    import pyarrow as pa


class Paragraphs(Source):
    """Plain text in UTF-8: the lines between blank ones are a row with the column `text`, joined by spaces.

    ```toml
    type = "paragraphs"
    ```
    """

    kind: ClassVar[str] = "paragraphs"

    type: Literal["paragraphs"]
    """The kind of file."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        faults = Faults(path)
        yield from stacked(rows(path, faults), [("text", pa.string())])
        faults.refuse()


def rows(path: Path, faults: Faults) -> Iterator[Row]:
    """Each paragraph at its first line."""
    numbered = enumerate((line.strip() for line in lines(path, faults)), 1)
    found = False
    for filled, block in groupby(numbered, key=lambda each: bool(each[1])):
        if filled:
            found = True
            (first, words), *more = block
            text = " ".join([words, *(each for _, each in more)])
            yield Row(first, len(text), (text,))
    if not found:
        raise RunnerError(f"`{path.name}` is empty", "write paragraphs with blank lines between them")
