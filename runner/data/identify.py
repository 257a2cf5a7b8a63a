"""The identity of every example: an id of the author's or the hash of its content, the same in any order of rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Identity:
    """Of each row: its id, and the content it stands for, which repeats of the same content share."""

    ids: pa.ChunkedArray
    contents: pa.ChunkedArray


def by_column(ids: pa.ChunkedArray) -> Identity:
    """Ids that the author gave, as strings."""
    return Identity(ids, ids)


def by_content(table: pa.Table, inputs: Sequence[str]) -> Identity:
    """16 hex digits of SHA-256 over the canonical JSON of the inputs; later repeats get "-1", "-2" and so on."""
    import pyarrow as pa

    contents = pa.chunked_array([pa.array(part, pa.string()) for part in hashes(table, inputs)], pa.string())
    earlier = repeats(keys(contents)).tolist()
    ids = contents
    if any(earlier):
        numbered = zip(texts(contents), earlier, strict=True)
        ids = pa.chunked_array([pa.array([f"{text}-{n}" if n else text for text, n in numbered], pa.string())])
    return Identity(ids, contents)


def hashes(table: pa.Table, inputs: Sequence[str]) -> Iterator[list[str]]:
    """The content hash of each row, batch by batch."""
    columns = sorted(inputs)
    encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
    for batch in table.select(columns).to_batches(max_chunksize=16_384):
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        yield [hashlib.sha256(encode(dict(zip(columns, row, strict=True))).encode()).hexdigest()[:16] for row in rows]


def texts(column: pa.ChunkedArray) -> Iterator[str]:
    """The strings of a column, without a list of all of them."""
    for chunk in column.chunks:
        yield from chunk.to_pylist()


def keys(column: pa.ChunkedArray, salt: bytes = b"") -> np.ndarray:
    """The first 8 bytes of SHA-256 of each salted string, as unsigned numbers."""
    digests = b"".join(hashlib.sha256(salt + text.encode()).digest()[:8] for text in texts(column))
    return np.frombuffer(digests, ">u8").astype(np.uint64)


def repeats(values: np.ndarray) -> np.ndarray:
    """How many equal values stand before each one."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    place = np.arange(len(values))
    first = np.ones(len(values), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    counts = np.empty(len(values), np.int64)
    counts[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return counts
