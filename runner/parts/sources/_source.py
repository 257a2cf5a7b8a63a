"""What every source shares: streaming rows of bounded memory, lines of UTF-8 text, and the list of broken rows."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, NamedTuple, cast

from runner.errors import RunnerError
from runner.kinds import Part

if TYPE_CHECKING:
    import pyarrow as pa

LINE = "_line"
BATCH_ROWS = 8192
BATCH_SIZE = 16 << 20
LISTED = 100


class Source(Part):
    """How a file becomes rows; a subclass yields record batches of one schema, at least one even without rows."""

    endings: ClassVar[tuple[str, ...]] = ()

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        """All columns of the file and `_line`, int64: the 1-based line where the row starts."""
        raise NotImplementedError

    def read(self, path: Path) -> pa.Table:
        """The whole file as one table in memory."""
        import pyarrow as pa

        return pa.Table.from_batches(self.batches(path))


class Row(NamedTuple):
    """One row on its way into a record batch; `size` is its rough length in characters."""

    line: int
    size: int
    values: Any


class Faults:
    """The broken rows of one file: all are counted, the first hundred are listed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: set[int] = set()
        self.listed: list[str] = []
        self.hints: dict[str, None] = {}

    def add(self, line: int, message: str, hint: str = "") -> None:
        self.lines.add(line)
        if len(self.listed) < LISTED:
            self.listed.append(f"line {line}: {message}")
        if hint:
            self.hints[hint] = None

    def refuse(self) -> None:
        """Raise if there was any."""
        if self.lines:
            count = len(self.lines)
            more = f"; and {count - LISTED} more" if count > LISTED else ""
            message = f"`{self.path.name}` has {count} broken row{'s' * (count != 1)}: {'; '.join(self.listed)}{more}"
            raise RunnerError(message, "; ".join(self.hints))


def excerpt(text: str) -> str:
    """The start of a row, short enough for a message."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def opened(path: Path) -> BinaryIO:
    """The file's bytes, unpacked if its name ends with .gz."""
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def lines(path: Path, faults: Faults) -> Iterator[str]:
    """The file's lines with their ends, without a byte order mark; lines that are not UTF-8 become faults."""
    try:
        with opened(path) as file:
            for number, raw in enumerate(file, 1):
                yield decoded(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw, number, faults)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise RunnerError(f"`{path.name}` is damaged: {error}", "copy or pack the file again") from error


def decoded(raw: bytes, number: int, faults: Faults) -> str:
    """The text of one line, with replacement characters where it is not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        column = len(raw[: error.start].decode()) + 1
        faults.add(number, f"byte 0x{raw[error.start]:02x} at column {column} is not UTF-8", "save the file as UTF-8")
        return raw.decode(errors="replace")


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in lists of bounded length and size; one empty list when there are none."""
    chunk: list[Row] = []
    size = count = 0
    for row in rows:
        chunk.append(row)
        size += row.size
        if len(chunk) >= BATCH_ROWS or size >= BATCH_SIZE:
            yield chunk
            chunk, size, count = [], 0, count + 1
    if chunk or not count:
        yield chunk


def stacked(rows: Iterable[Row], fields: Sequence[tuple[str, pa.DataType]]) -> Iterator[pa.RecordBatch]:
    """Record batches of rows whose values are sequences in the order of the fields."""
    import pyarrow as pa

    schema = pa.schema([*fields, (LINE, pa.int64())])
    for chunk in chunks(rows):
        columns = [pa.array([row.values[i] for row in chunk], kind) for i, (_, kind) in enumerate(fields)]
        yield pa.record_batch([*columns, pa.array([row.line for row in chunk], pa.int64())], schema=schema)


def encoded(batches: Iterable[pa.RecordBatch], path: Path) -> Iterator[pa.RecordBatch]:
    """Batches of a format that has types, which does not keep a writer from putting other bytes into its strings."""
    import pyarrow as pa

    faults = Faults(path)
    for batch in batches:
        try:
            batch.validate(full=True)
        except pa.ArrowInvalid as error:
            before = len(faults.lines)
            for column in batch.columns:
                if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                    for line, raw in zip(
                        batch[LINE].to_pylist(), column.cast(pa.large_binary()).to_pylist(), strict=True
                    ):
                        decoded(raw or b"", line, faults)
            if len(faults.lines) == before:
                raise RunnerError(f"`{path.name}` is damaged: {error}", "write the file again") from error
        else:
            yield batch
    faults.refuse()
