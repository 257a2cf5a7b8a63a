"""Rows that hold the same: which of them comes first, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from runner.parts.cleaners._cleaner import Judged
from runner.parts.cleaners._entries import MANY, blocks, rows_of, spans, together
from runner.parts.slices import take

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ROWS = 8_192  # of a batch


def repeated(
    table: pa.Table, targets: Sequence[str], positions: np.ndarray, twins: np.ndarray, reason: str
) -> Iterator[Judged]:
    """What is said of rows that repeat others."""
    for start in range(0, len(positions), ROWS):
        here, there = positions[start : start + ROWS], twins[start : start + ROWS]
        reasons = [
            reason if mine == theirs else f"{reason} with another label"
            for mine, theirs in zip(rows_at(table, targets, here), rows_at(table, targets, there), strict=True)
        ]
        yield from map(Judged, here.tolist(), reasons, (id for (id,) in rows_at(table, ["id"], there)))


def rows_at(table: pa.Table, columns: Sequence[str], positions: np.ndarray) -> list[tuple[str, ...]]:
    """The values of some columns at these positions, in any order."""
    if not columns:
        return [()] * len(positions)
    batches = table.select(list(columns)).to_batches()
    taken = [column.to_pylist() for column in take(batches, positions).columns]
    return list(zip(*taken, strict=True))


def digests(
    table: pa.Table, columns: Sequence[str], path: Path, seen: Callable[[str], str] | None = None
) -> np.ndarray:
    """Two 64-bit numbers a row, in a file: the same where the columns hold the same; `seen` is what counts of them."""
    import pyarrow as pa

    with open(path, "wb") as file:
        for batch in table.select(list(columns)).to_batches(max_chunksize=ROWS):
            if seen is None:
                texts = [column.cast(pa.binary()).to_pylist() for column in batch.columns]
            else:
                texts = [[seen(text).encode() for text in column.to_pylist()] for column in batch.columns]
            file.write(hashed(texts[0] if len(texts) == 1 else map(framed, *texts)).data)
    return digests_in(path, table.num_rows)


def digests_in(path: Path, rows: int) -> np.ndarray:
    """The digests that a file holds; what isn't looked at needs no memory."""
    import numpy as np

    return np.asarray(np.memmap(path, np.uint64, "r", shape=(rows, 2)))


def hashed(texts: Iterable[bytes]) -> np.ndarray:
    """Two 64-bit numbers a text: XXH3 of 128 bits, which no two texts share that nobody made for that."""
    import numpy as np

    return np.frombuffer(b"".join(map(xxhash.xxh3_128_digest, texts)), np.uint64).reshape(-1, 2)


def framed(*texts: bytes) -> bytes:
    """Texts as one, each after its length, which tells where the next begins."""
    return b"".join(b"%d %s" % (len(text), text) for text in texts)


def distinct(digests: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The positions of the first row of each content, in this order, and for each position the place of its content.

    `order` may leave out positions, whose content has the place -1.
    """
    import numpy as np

    first = np.arange(len(order), dtype=np.int32)
    stays = np.ones(len(order), bool)
    for block in blocks(together(beginnings(digests, order))):
        ranks = rows_of(block) if len(block) <= MANY else others(block, digests, order, first, stays)
        halves = digests[order[ranks]]
        sorting = np.lexsort((ranks, halves[:, 1], halves[:, 0]))
        ranks, halves = ranks[sorting], halves[sorting]
        begins = np.arange(len(ranks)) == 0
        begins[1:] |= (halves[1:] != halves[:-1]).any(axis=1)
        first[ranks] = ranks[begins][np.cumsum(begins) - 1]
        stays[ranks[~begins]] = False
    places = np.cumsum(stays, dtype=np.int32)
    places -= np.int32(1)
    group = np.full(len(digests), -1, np.int32)
    for here in spans(len(order)):
        group[order[here]] = places[first[here]]
    return order[stays], group


def others(
    bucket: np.ndarray, digests: np.ndarray, order: np.ndarray, first: np.ndarray, stays: np.ndarray
) -> np.ndarray:
    """The ranks of a large bucket that don't have the content of its first; those that have it are told so here."""
    import numpy as np

    leader = rows_of(bucket[:1])
    parts = [leader[:0]]
    for here in spans(len(bucket)):
        ranks = rows_of(bucket[here])
        same = (digests[order[ranks]] == digests[order[leader]]).all(axis=1)
        parts.append(ranks[~same])
        first[ranks[same]], stays[ranks[same]] = leader[0], False
    stays[leader] = True
    return np.concatenate(parts)


def beginnings(digests: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The first half of the first number before the rank of its row in `order`, sorted."""
    import numpy as np

    entries = np.empty(len(order), np.uint64)
    for here in spans(len(order)):
        entries[here] = digests[order[here], 0] & np.uint64(2**64 - 2**32)
        entries[here] |= np.arange(here.start, here.stop, dtype=np.uint64)
    entries.sort()
    return entries
