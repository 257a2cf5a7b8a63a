"""JSON: an array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.errors import RunnerError
from runner.parts.sources._records import checked, records
from runner.parts.sources._source import Faults, Row, Source, excerpt, lines

if TYPE_CHECKING:
    import pyarrow as pa

SPACE = re.compile(r"[ \t\r\n]*")
SHAPE = 'write [{ ... }, ...] or {"data": [{ ... }, ...]}'


class Json(Source):
    """An array of objects, or an object whose `data` is one; read as a whole: prefer JSON Lines for large files.

    ```toml
    type = "json"
    ```
    """

    kind: ClassVar[str] = "json"
    endings: ClassVar[tuple[str, ...]] = (".json",)

    type: Literal["json"]
    """The kind of file."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        return records(path, objects)


def objects(path: Path, faults: Faults) -> Iterator[Row]:
    """The objects of the array with the lines where they start."""
    text = "".join(lines(path, faults))
    faults.refuse()
    if not text.strip():
        raise RunnerError(f"`{path.name}` is empty", SHAPE)
    try:
        yield from elements(text, array_start(text), faults)
    except json.JSONDecodeError as error:
        message = f"`{path.name}` line {error.lineno} column {error.colno}: {error.msg}"
        raise RunnerError(message, "mend the JSON there") from error


def array_start(text: str) -> int:
    """The position of the array of rows."""
    place = skip(text, 0)
    if text[place] == "[":
        return place
    if text[place] != "{":
        raise json.JSONDecodeError(f"neither an array nor an object: {SHAPE}", text, place)
    place = skip(text, place + 1)
    while text[place : place + 1] == '"':
        key, place = json.JSONDecoder().raw_decode(text, place)
        place = after(text, skip(text, place), ":")
        if key == "data" and text[place : place + 1] == "[":
            return place
        _, place = json.JSONDecoder().raw_decode(text, place)
        place = skip(text, place)
        if text[place : place + 1] == ",":
            place = skip(text, place + 1)
    raise json.JSONDecodeError(f"no array named `data`: {SHAPE}", text, place)


def elements(text: str, start: int, faults: Faults) -> Iterator[Row]:
    """The elements of the array that starts there; those that are no objects become faults."""
    decoder = json.JSONDecoder()
    place, line, counted = skip(text, start + 1), 1, 0
    while text[place : place + 1] != "]":
        line, counted = line + text.count("\n", counted, place), place
        value, end = decoder.raw_decode(text, place)
        raw = text[place:end]
        try:
            yield Row(line, end - place, checked(value, raw))
        except UnicodeEncodeError:
            faults.add(line, f"half a surrogate pair: {excerpt(raw)}", "escape both halves or write UTF-8")
        except ValueError as error:
            faults.add(line, f"{error}: {excerpt(raw)}", SHAPE)
        place = skip(text, end)
        if text[place : place + 1] != "]":
            place = after(text, place, ",")


def after(text: str, place: int, mark: str) -> int:
    """The position of what follows a comma or colon that must stand here."""
    if text[place : place + 1] != mark:
        raise json.JSONDecodeError(f"expected `{mark}`", text, place)
    return skip(text, place + 1)


def skip(text: str, place: int) -> int:
    """The position after white space."""
    found = SPACE.match(text, place)
    return found.end() if found else place
