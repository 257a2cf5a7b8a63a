"""Rows of delimited text: every value a string exactly as written, every broken row named by its line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import RunnerError
from runner.parts.sources._source import LINE, Faults, Row, excerpt, lines, stacked

if TYPE_CHECKING:
    import pyarrow as pa

FIELD_LIMIT = 256 << 20
QUOTES = "write a quote inside a quoted value twice, and close every quote"


def delimited(path: Path, delimiter: str) -> Iterator[pa.RecordBatch]:
    """The file's rows under its header; quoted values may hold line breaks."""
    import pyarrow as pa

    faults = Faults(path)
    rows = records(path, delimiter, faults)
    header = next(rows, None)
    faults.refuse()
    if header is None:
        raise RunnerError(f"`{path.name}` is empty", "the first line must name the columns")
    check_header(path, header.values)
    yield from stacked(full(rows, header.values, delimiter, faults), [(name, pa.string()) for name in header.values])
    faults.refuse()


def records(path: Path, delimiter: str, faults: Faults) -> Iterator[Row]:
    """The records of the file that are not blank; malformed ones become faults."""
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(lines(path, faults), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.add(line, reason(error), QUOTES)
            continue
        if values:
            yield Row(line, sum(map(len, values)), values)


def full(rows: Iterator[Row], header: list[str], delimiter: str, faults: Faults) -> Iterator[Row]:
    """The rows that have as many values as the header; the others become faults."""
    width = len(header)
    hint = f"the header has {width} column{'s' * (width != 1)}; put quotes around values that hold the delimiter"
    for row in rows:
        if len(row.values) == width:
            yield row
        else:
            found = f"{len(row.values)} column{'s' * (len(row.values) != 1)} instead of {width}"
            faults.add(row.line, f"{found}: {excerpt(delimiter.join(row.values))}", hint)


def check_header(path: Path, header: list[Any]) -> None:
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        named = ", ".join(f"`{name}`" for name in twice)
        raise RunnerError(f"`{path.name}` line 1: the header names {named} more than once", "rename one of the columns")
    if LINE in header:
        raise RunnerError(f"`{path.name}` line 1: the column name `{LINE}` is reserved", "rename the column")


def reason(error: csv.Error) -> str:
    """What the csv module found, in words for the author of the file."""
    known = {
        "unexpected end of data": "a quote is opened and never closed",
        "field larger than field limit": "a value is too long: is a quote left open?",
        "new-line character seen in unquoted field": "a lone carriage return stands in a value without quotes",
        "expected after": "text follows a closing quote",
    }
    return next((words for part, words in known.items() if part in str(error)), str(error))
