"""Rows that hold the same: which of them comes first, and what is said of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from runner.parts.cleaners._cleaner import Judged

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ROWS = 8_192  # of a batch


def by_id(table: pa.Table) -> np.ndarray:
    """The positions of the rows in the order of their ids."""
    import numpy as np
    import pyarrow.compute as pc

    order: Any = pc.sort_indices(table["id"])
    return np.asarray(order).astype(np.int32)


def repeated(table: pa.Table, targets: Sequence[str], position: int, twin: int, reason: str) -> Judged:
    """What is said of a row that repeats another."""
    if any(table[target][position] != table[target][twin] for target in targets):
        reason += " with another label"
    return Judged(position, reason, table["id"][twin].as_py())


def digests(table: pa.Table, columns: Sequence[str], seen: Callable[[str], str] = str) -> np.ndarray:
    """Two 64-bit numbers a row, the same where the columns hold the same; `seen` is what counts of a text."""
    import numpy as np

    return np.frombuffer(b"".join(hashed(table, columns, seen)), np.uint64).reshape(-1, 2)


def hashed(table: pa.Table, columns: Sequence[str], seen: Callable[[str], str]) -> Iterator[bytes]:
    """The digests of each batch."""
    for batch in table.select(list(columns)).to_batches(max_chunksize=ROWS):
        texts = [[seen(text).encode() for text in column.to_pylist()] for column in batch.columns]
        rows = texts[0] if len(texts) == 1 else map(framed, *texts)
        yield b"".join([hashlib.blake2b(row, digest_size=16).digest() for row in rows])


def framed(*texts: bytes) -> bytes:
    """Texts as one, each after its length, which tells where the next begins."""
    return b"".join(b"%d %s" % (len(text), text) for text in texts)


def distinct(digests: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The positions of the first row of each content, in this order, and for each position the place of its content."""
    import numpy as np

    halves = digests[order]
    sorting = np.lexsort((halves[:, 1], halves[:, 0]))
    begins = np.arange(len(order)) == 0
    for half in (0, 1):
        values = halves[sorting, half]
        begins[1:] |= values[1:] != values[:-1]
    del halves, values
    firsts = sorting[begins]
    ranks = np.argsort(firsts)
    places = np.empty(len(firsts), np.int32)
    places[ranks] = np.arange(len(firsts), dtype=np.int32)
    group = np.empty(len(order), np.int32)
    group[order[sorting]] = places[np.cumsum(begins) - 1]
    return order[firsts[ranks]], group
