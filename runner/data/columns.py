"""Columns as text: what a label or a text looks like once it is a string, and which rows lack it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.parts.sources._records import written

if TYPE_CHECKING:
    import pyarrow as pa


def as_text(column: pa.ChunkedArray, words: bool = False) -> pa.ChunkedArray | None:
    """The column as strings, null where there is nothing, lists and tables as JSON; None for bytes.

    With `words` a list becomes its items between single spaces: a text whose words are known; a list of tables, such
    as the messages of a chat, stays JSON.

    Whole floats lose their ".0" and booleans become "true" and "false", so that a label looks the same whether the
    file's type is integer or float, JSON or Parquet.
    """
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_text(column.cast(kind.value_type), words)
    if pa.types.is_string(kind):
        return column
    if pa.types.is_floating(kind) or pa.types.is_nested(kind):
        told = spaced if words and of_words(kind) else written
        parts = [pa.array(map(told, chunk.to_pylist()), pa.string()) for chunk in column.chunks]
        return pa.chunked_array(parts, pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return None
    return column.cast(pa.string())


def of_words(kind: pa.DataType) -> bool:
    """Whether it is a list whose items may be words."""
    import pyarrow as pa

    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return listed and not pa.types.is_nested(kind.value_type)


def spaced(items: Sequence[Any] | None) -> str | None:
    """Words between single spaces; a space within a word becomes one that does not part it."""
    return None if items is None else " ".join(str(item).replace(" ", "\N{NO-BREAK SPACE}") for item in items)


def kind_of(column: pa.ChunkedArray) -> str:
    """What a column holds: `texts`, which numbers and dates count as, `lists`, `tables` or `bytes`."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return kind_of(column.cast(kind.value_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return "lists"
    if pa.types.is_nested(kind):
        return "tables"
    return "bytes" if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else "texts"


def lacking(table: pa.Table, columns: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Positions of the rows where a text column is missing, empty or blank, and the reason for each."""
    import pyarrow.compute as pc

    found: dict[int, str] = {}
    for name in columns:
        column = table[name]
        trimmed = pc.utf8_length(pc.utf8_trim_whitespace(column))
        blank = np.asarray(pc.fill_null(pc.equal(trimmed, 0), True))
        for row in np.flatnonzero(blank).tolist():
            value = column[row].as_py()
            word = "missing" if value is None else "blank" if value else "empty"
            found.setdefault(row, f"`{name}` is {word}")
    rows = sorted(found)
    return np.array(rows, np.int64), [found[row] for row in rows]
