"""Rows of JSON objects: the union of their keys, one type a column, bounded memory.

The file is read twice: first for the types of all columns and for every malformed row, then for the rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import RunnerError
from runner.parts.sources._source import LINE, Faults, Row, chunks

if TYPE_CHECKING:
    import pyarrow as pa

Read = Callable[[Path, Faults], Iterable[Row]]


def records(path: Path, read: Read) -> Iterator[pa.RecordBatch]:
    """Record batches of the objects that `read` yields; scalars of mixed type become strings, null stays null."""
    types = survey(path, read)
    if LINE in types:
        raise RunnerError(f"`{path.name}`: the key `{LINE}` is reserved", "rename the key")
    faults = Faults(path)
    for chunk in chunks(read(path, faults)):
        yield batch(chunk, types)
    faults.refuse()


def survey(path: Path, read: Read) -> dict[str, pa.DataType]:
    """The columns in the order of their first appearance, with types that hold all their values."""
    types: dict[str, pa.DataType] = {}
    faults = Faults(path)
    for chunk in chunks(read(path, faults)):
        for key in dict.fromkeys(key for row in chunk for key in row.values):
            found = infer([row.values.get(key) for row in chunk])
            types[key] = unify(types[key], found) if key in types else found
    faults.refuse()
    return types


def infer(values: list[Any]) -> pa.DataType:
    """The Arrow type of the values; string where they are mixed."""
    import pyarrow as pa

    try:
        found = pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.string()
    mixed = pa.types.is_floating(found) and any(isinstance(value, bool) for value in values)
    return pa.string() if mixed else found


def unify(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """A type for the values of both; string where they don't go together."""
    import pyarrow as pa

    fields = [pa.schema([("x", one)]), pa.schema([("x", other)])]
    try:
        return pa.unify_schemas(fields, promote_options="permissive").field(0).type
    except pa.ArrowTypeError:
        return pa.string()


def batch(chunk: list[Row], types: dict[str, pa.DataType]) -> pa.RecordBatch:
    import pyarrow as pa

    arrays = {key: column([row.values.get(key) for row in chunk], kind) for key, kind in types.items()}
    return pa.record_batch({**arrays, LINE: pa.array([row.line for row in chunk], pa.int64())})


def column(values: list[Any], kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_string(kind):
        return pa.array(map(written, values), kind)
    if pa.types.is_floating(kind):
        return pa.array([None if value is None else float(value) for value in values], kind)
    return pa.array(values, kind)


def written(value: Any) -> str | None:
    """A value as text: strings as they are, whole floats without ".0", null and NaN as None, the rest as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def checked(value: Any, text: str) -> dict[str, Any]:
    """A row that is an object of valid Unicode, or ValueError."""
    if not isinstance(value, dict):
        raise ValueError("not an object: write { ... }")
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value
