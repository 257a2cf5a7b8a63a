"""Which rows hold the same, and which of them comes first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

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


def digests(table: pa.Table, columns: Sequence[str], seen: Callable[[str], str] = str) -> np.ndarray:
    """Two 64-bit numbers a row, the same where the columns hold the same; `seen` is what counts of a text."""
    import numpy as np

    if not columns:
        return np.zeros((table.num_rows, 2), np.uint64)
    return np.frombuffer(b"".join(hashed(table, columns, seen)), np.uint64).reshape(-1, 2)


def hashed(table: pa.Table, columns: Sequence[str], seen: Callable[[str], str]) -> Iterator[bytes]:
    """The digests of each batch."""
    for batch in table.select(list(columns)).to_batches(max_chunksize=ROWS):
        rows = zip(*(map(seen, column.to_pylist()) for column in batch.columns), strict=True)
        yield b"".join(digest(*row) for row in rows)


def digest(*texts: str) -> bytes:
    """16 bytes; the length of a text before it tells where the next begins."""
    encoded = (text.encode() for text in texts)
    return hashlib.blake2b(b"".join(b"%d %s" % (len(each), each) for each in encoded), digest_size=16).digest()


def distinct(digests: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The positions of the first row of each content, in this order, and for each position the place of its content."""
    import numpy as np

    ordered = digests[order]
    sorting = np.lexsort((ordered[:, 1], ordered[:, 0]))
    ordered = ordered[sorting]
    begins = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    del ordered
    firsts = sorting[begins]
    ranks = np.argsort(firsts)
    places = np.empty(len(firsts), np.int32)
    places[ranks] = np.arange(len(firsts), dtype=np.int32)
    group = np.empty(len(order), np.int32)
    group[order[sorting]] = places[np.cumsum(begins) - 1]
    return order[firsts[ranks]], group
