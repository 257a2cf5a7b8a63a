"""The identity of every example: an id of the author's or the hash of its content, the same in any order of rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from runner.data.tables import batches
from runner.parts.cleaners._buckets import entries_of, rows_of, together

if TYPE_CHECKING:
    import pyarrow as pa


def contents(table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """The first 8 bytes of SHA-256 over the canonical JSON of each row's columns, as unsigned numbers."""
    ordered = sorted(columns)
    encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
    digests = []
    for batch in batches(table.select(ordered)):
        if len(ordered) == 1:  # a label or a repeated text is hashed once a slice
            column = batch.column(0).dictionary_encode("encode")
            values = (encode({ordered[0]: value}).encode() for value in column.dictionary.to_pylist())
            few = np.array([hashlib.sha256(value).digest()[:8] for value in values], "V8")
            digests.append(few[np.asarray(column.indices)].tobytes())
            continue
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        values = (encode(dict(zip(ordered, row, strict=True))).encode() for row in rows)
        digests.append(b"".join(hashlib.sha256(value).digest()[:8] for value in values))
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)


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
        digests = b"".join([hashlib.sha256(salt + text.encode()).digest()[:8] for text in chunk.to_pylist()])
        found[start : start + len(chunk)] = np.frombuffer(digests, ">u8")
        start += len(chunk)
    return found


def repeats(values: np.ndarray, then: np.ndarray | None = None) -> np.ndarray:
    """How many equal values come before each one: of equal values those with the smaller `then`, then the earlier."""
    counts = np.zeros(len(values), np.int32)
    rows = np.sort(rows_of(together(entries_of((values >> np.uint64(32)).astype(np.uint32)))))
    values, then = values[rows], None if then is None else then[rows]
    order = np.argsort(values, kind="stable") if then is None else np.lexsort((then, values))
    ordered = values[order]
    place = np.arange(len(values))
    first = np.ones(len(values), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    counts[rows[order]] = place - np.maximum.accumulate(np.where(first, place, 0))
    return counts
