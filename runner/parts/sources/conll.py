"""CoNLL columns: a token and its tag a line, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.errors import RunnerError
from runner.parts.sources._source import Faults, Row, Source, excerpt, lines, stacked

if TYPE_CHECKING:
    import pyarrow as pa


class Conll(Source):
    """Sentences of a token and a tag a line, between tabs or spaces; of more columns the first and the last count.

    Columns: `text` (the tokens joined by spaces), `tokens`, `tags`. Lines of `-DOCSTART-` are skipped.

    ```toml
    type = "conll"
    ```
    """

    kind: ClassVar[str] = "conll"
    endings: ClassVar[tuple[str, ...]] = (".conll",)

    type: Literal["conll"]
    """The kind of file."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        faults = Faults(path)
        words = pa.list_(pa.string())
        yield from stacked(sentences(path, faults), [("text", pa.string()), ("tokens", words), ("tags", words)])
        faults.refuse()


def sentences(path: Path, faults: Faults) -> Iterator[Row]:
    """The sentences; lines without a tag, or with another number of columns than the first line, become faults."""
    tokens: list[str] = []
    tags: list[str] = []
    start = width = 0
    for number, line in enumerate(lines(path, faults), 1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            if tokens:
                yield sentence(start, tokens, tags)
            tokens, tags = [], []
            continue
        cells = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
        width = width or max(len(cells), 2)
        if len(cells) != width or "" in cells:
            hint = "write a token and a tag a line, and a blank line between sentences"
            faults.add(
                number, f"{len([*filter(None, cells)])} columns instead of {width}: {excerpt(line.strip())}", hint
            )
            continue
        start = start if tokens else number
        tokens.append(cells[0])
        tags.append(cells[-1])
    if tokens:
        yield sentence(start, tokens, tags)
    if not width:
        raise RunnerError(f"`{path.name}` is empty", "write a token and a tag a line")


def sentence(line: int, tokens: list[str], tags: list[str]) -> Row:
    text = " ".join(tokens)
    return Row(line, 3 * len(text), (text, tokens, tags))
