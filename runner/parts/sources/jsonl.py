"""JSON Lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.errors import RunnerError
from runner.parts.sources._records import checked, records
from runner.parts.sources._source import Faults, Row, Source, excerpt, lines

if TYPE_CHECKING:
    import pyarrow as pa


class Jsonl(Source):
    """One JSON object a line; columns are all keys that occur, blank lines are skipped.

    ```toml
    type = "jsonl"
    ```
    """

    kind: ClassVar[str] = "jsonl"
    endings: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")

    type: Literal["jsonl"]
    """The kind of file."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        return records(path, objects)


def objects(path: Path, faults: Faults) -> Iterator[Row]:
    """The object of each line; lines that hold none become faults."""
    found = False
    for number, line in enumerate(lines(path, faults), 1):
        line = line.rstrip()
        if not line:
            continue
        found = True
        try:
            yield Row(number, len(line), checked(json.loads(line), line))
        except json.JSONDecodeError as error:
            faults.add(number, f"column {error.colno}: {error.msg}: {excerpt(line)}", "write one object a line")
        except UnicodeEncodeError:
            faults.add(number, f"half a surrogate pair: {excerpt(line)}", "escape both halves or write UTF-8")
        except ValueError as error:
            faults.add(number, f"{error}: {excerpt(line)}")
    if not found:
        raise RunnerError(f"`{path.name}` is empty", "write one object a line")
