"""Pairs of rows that may be alike, and how alike they are: the Jaccard similarity of their sets of shingles.

Rows of several columns are as alike as the column in which they are least alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runner.parts.cleaners._shingles import Shingles
from runner.parts.slices import cuts, take

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PAIRS = 4_096  # of a chunk
BITS = 12  # of their number
SHIFT = 64 - BITS
BYTES = 2 << 20  # of the texts of a chunk, unless one pair has more
GROUP = 1 << 16  # pairs whose texts are read at once
HELD = 64 << 20  # bytes of these texts, unless one pair has more


class Texts:
    """The texts of chosen rows of a table, read from it when asked for."""

    def __init__(self, table: pa.Table, inputs: Sequence[str], positions: np.ndarray) -> None:
        import numpy as np
        import pyarrow.compute as pc

        self.inputs = inputs
        self.batches = table.select(list(inputs)).to_batches()
        self.positions = positions
        bytes_ = np.zeros(table.num_rows, np.int32)
        end = 0
        for batch in self.batches:
            end += batch.num_rows
            for column in batch.columns:
                bytes_[end - batch.num_rows : end] += pc.binary_length(column).to_numpy(zero_copy_only=False)
        self.lengths = bytes_

    def bytes(self, rows: np.ndarray) -> np.ndarray:
        """How many bytes the texts of these of the chosen rows have, int64."""
        import numpy as np

        found: np.ndarray = self.lengths[self.positions[rows]].astype(np.int64)
        return found

    def at(self, rows: np.ndarray) -> pa.RecordBatch:
        """The texts of these of the chosen rows."""
        return take(self.batches, self.positions[rows])

    def held(self, rows: np.ndarray) -> tuple[Texts, np.ndarray]:
        """The texts of these rows, each once, in memory, and the place of each row among them.

        They are read in the order in which they lie: a file that does not fit into memory is gone through, not
        searched.
        """
        import numpy as np
        import pyarrow as pa

        each, places = np.unique(self.positions[rows], return_inverse=True)
        table = pa.Table.from_batches([take(self.batches, each)])
        return Texts(table, self.inputs, np.arange(len(each))), places


def apart(table: pa.Table, inputs: Sequence[str], positions: np.ndarray, compared: np.ndarray, path: Path) -> Texts:
    """The texts at these positions; of a large table those that are compared lie in a file of their own.

    They are few, and wanted in any order: without the others between them they may stay in memory.
    """
    import numpy as np
    import pyarrow as pa

    table = table.select(list(inputs))
    if table.nbytes <= HELD:
        return Texts(table, inputs, positions)
    batches, wanted = table.to_batches(), np.sort(positions[compared])
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        for start in range(0, len(wanted), PAIRS):
            writer.write_batch(take(batches, wanted[start : start + PAIRS]))
    places = np.zeros(len(positions), np.int32)
    places[compared] = np.searchsorted(wanted, positions[compared])
    return Texts(pa.ipc.open_file(pa.memory_map(str(path))).read_all(), inputs, places)


class Pairs:
    """How alike rows of one table are to rows of another, or of the same."""

    def __init__(self, shingles: Shingles, first: Texts, second: Texts) -> None:
        self.shingles = shingles
        self.first, self.second = first, second

    def alike(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """The similarities of pairs of rows of the first and the second."""
        import numpy as np

        found = np.empty(len(rows))
        sizes = self.first.bytes(rows) + self.second.bytes(others)
        for group in cuts(sizes, GROUP, HELD):
            first, firsts = self.first.held(rows[group])
            second, seconds = self.second.held(others[group])
            for chunk in cuts(sizes[group], PAIRS, BYTES):
                found[group][chunk] = least(self.sets(first, firsts[chunk]), self.sets(second, seconds[chunk]))
        return found

    def sets(self, texts: Texts, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Column by column the shingles of each row, each once: its place in `rows` before 52 bits of a hash, sorted.

        With 52 bits one in a billion pairs of texts with a thousand shingles each counts two different ones as one.
        """
        import numpy as np

        each, places = np.unique(rows, return_inverse=True)
        for column in texts.at(each).columns:
            yield self.column(column, places)

    def column(self, texts: pa.Array, places: np.ndarray) -> np.ndarray:
        """The same of one column, of the texts at these places."""
        import numpy as np

        parts = list(self.shingles.of(texts))
        sets = np.concatenate([part.hashes for part in parts]) >> np.uint64(BITS)
        sets |= np.concatenate([tags(part.normal.rows, part.counts) for part in parts])
        sets.sort()
        sets = sets[np.append(True, sets[1:] != sets[:-1])]
        sizes = np.bincount(numbers(sets))
        starts, wanted = np.cumsum(sizes) - sizes, sizes[places]
        within = np.arange(wanted.sum()) - np.repeat(np.cumsum(wanted) - wanted, wanted)
        found: np.ndarray = sets[np.repeat(starts[places], wanted) + within] & np.uint64(2**SHIFT - 1)
        found |= tags(np.arange(len(wanted)), wanted)
        return found


def least(first: Iterator[np.ndarray], second: Iterator[np.ndarray]) -> np.ndarray:
    """The smallest of the similarities of the columns."""
    import numpy as np

    columns = [jaccard(one, other) for one, other in zip(first, second, strict=True)]
    found: np.ndarray = np.minimum.reduce(columns)
    return found


def tags(numbers: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The number of each set in the first bits, once a shingle."""
    import numpy as np

    return np.repeat(numbers.astype(np.uint64) << np.uint64(SHIFT), counts)


def numbers(tagged: np.ndarray) -> np.ndarray:
    """The numbers of the sets that shingles belong to."""
    import numpy as np

    found: np.ndarray = tagged >> np.uint64(SHIFT)
    return found.astype(np.int64)


def jaccard(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The similarity of each two sets with the same number."""
    import numpy as np

    total = np.bincount(numbers(first)) + np.bincount(numbers(second))
    both = np.concatenate([first, second])
    both.sort()
    shared = np.bincount(numbers(both[1:][both[1:] == both[:-1]]), minlength=len(total))
    similarities: np.ndarray = shared / (total - shared)
    return similarities
