"""The identity of every example: an id of the author's or the hash of its content, the same in any order of rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from runner.data.tables import batches
from runner.parts.cleaners._entries import blocks, entries_of, rows_of, spans, together

if TYPE_CHECKING:
    import pyarrow as pa


def contents(table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """The first 8 bytes of SHA-256 over the canonical JSON of each row's columns, as unsigned numbers."""
    ordered = sorted(columns)
    encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
    found = np.empty(table.num_rows, np.uint64)
    end = 0
    for batch in batches(table.select(ordered)):
        end += batch.num_rows
        here = found[end - batch.num_rows : end]
        if len(ordered) == 1:  # a label or a repeated text is hashed once a slice
            column = batch.column(0).dictionary_encode("encode")
            values = (encode({ordered[0]: value}).encode() for value in column.dictionary.to_pylist())
            here[:] = first_bytes(values)[np.asarray(column.indices)]
            continue
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        values = (encode(dict(zip(ordered, row, strict=True))).encode() for row in rows)
        here[:] = first_bytes(values)
    return found


def first_bytes(values: Iterable[bytes]) -> np.ndarray:
    """The first 8 bytes of SHA-256 of each, as numbers."""
    return np.frombuffer(b"".join([hashlib.sha256(value).digest()[:8] for value in values]), ">u8")


def classes(table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """For each row the place of the content of these columns among those that occur, sorted, int32."""
    content = contents(table, columns)
    several = np.unique(np.concatenate([content[:0], *(np.unique(content[here]) for here in spans(len(content)))]))
    found = np.empty(len(content), np.int32)
    for here in spans(len(content)):
        found[here] = np.searchsorted(several, content[here])
    return found


def numbered(content: np.ndarray, earlier: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """Contents as 16 hex digits, and ids: the same, where later repeats get "-1", "-2" and so on."""
    import pyarrow as pa

    same = [f"{each:016x}" for each in content.tolist()]
    ids = [f"{text}-{n}" if n else text for text, n in zip(same, earlier.tolist(), strict=True)]
    return pa.array(same, pa.string()), pa.array(ids, pa.string())


def keys(column: pa.ChunkedArray, salt: bytes = b"") -> np.ndarray:
    """The first 8 bytes of SHA-256 of each salted string, as unsigned numbers."""
    found = np.empty(len(column), np.uint64)
    start = 0
    for chunk in column.chunks:
        for here in spans(len(chunk)):
            texts = chunk.slice(here.start, here.stop - here.start).to_pylist()
            found[start : start + len(texts)] = first_bytes(salt + text.encode() for text in texts)
            start += len(texts)
    return found


def repeats(values: np.ndarray, then: np.ndarray | None = None) -> np.ndarray:
    """How many equal values come before each one: of equal values those with the smaller `then`, then the earlier."""
    counts = np.zeros(len(values), np.int32)
    for block in blocks(together(entries_of(values, 32))):
        rows = rows_of(block)
        among = values[rows]
        order = np.lexsort((rows, among) if then is None else (rows, then[rows], among))
        ordered = among[order]
        place = np.arange(len(rows))
        first = np.ones(len(rows), bool)
        first[1:] = ordered[1:] != ordered[:-1]
        counts[rows[order]] = place - np.maximum.accumulate(np.where(first, place, 0))
    return counts
