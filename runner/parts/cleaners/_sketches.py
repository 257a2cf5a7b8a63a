"""Sketches of the texts of a table, in files: a digest of each normalised text, and its keys in all bands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.parts.cleaners._minhash import Bands, keys
from runner.parts.cleaners._shingles import Shingles
from runner.workers import spread, workers_for

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ROWS = 16_384  # of a batch: many, so that there are enough texts of one length to be signed together
BYTES = 4 << 20  # of a batch, unless one text has more


@dataclass(frozen=True)
class Sketches:
    """What the files in `folder` tell of so many rows, in the order of the table."""

    folder: Path
    rows: int
    bands: Bands

    def digests(self) -> np.ndarray:
        """Two 64-bit numbers a row, the same where the normalised text is the same."""
        import numpy as np

        return np.memmap(self.folder / "digests", np.uint64, "r", shape=(self.rows, 2))

    def keys(self, band: int) -> np.ndarray:
        """A 32-bit number a row."""
        import numpy as np

        return np.fromfile(self.folder / "keys", np.uint32, self.rows, offset=4 * self.rows * band)


def sketch(
    table: pa.Table, inputs: Sequence[str], folder: Path, shingles: Shingles, bands: Bands, workers: int | None = None
) -> Sketches:
    """Write the sketches of all rows into a new folder."""
    folder.mkdir()
    rows = table.num_rows
    start = 0
    workers = workers or workers_for(table.select(list(inputs)).nbytes)
    done = spread(Sketcher, (shingles, bands), batches(table, inputs), workers)
    with open(folder / "digests", "wb") as digests, open(folder / "keys", "wb") as file:
        for found, numbers in done:
            digests.write(found)
            for band, row in enumerate(numbers):
                file.seek(4 * (rows * band + start))
                file.write(row)
            start += numbers.shape[1]
    return Sketches(folder, rows, bands)


def batches(table: pa.Table, inputs: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Batches of few enough rows and bytes."""
    waiting = deque(table.select(list(inputs)).to_batches(max_chunksize=ROWS))
    while waiting:
        batch = waiting.popleft()
        half = batch.num_rows // 2
        if half and batch.nbytes > BYTES:
            waiting.extendleft([batch.slice(half), batch.slice(0, half)])
        elif batch.num_rows:
            yield batch


class Sketcher:
    """The digests and keys of one batch after the other."""

    def __init__(self, shingles: Shingles, bands: Bands) -> None:
        self.shingles = shingles
        self.bands = bands

    def __call__(self, batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
        """The digests of the rows, and a row of keys a band."""
        import numpy as np

        digests = np.empty((batch.num_rows, 2), np.uint64)
        numbers = np.empty((self.bands.count, batch.num_rows), np.uint32)
        for part in self.shingles.of(joined(batch), bits=32):
            digests[part.normal.rows] = part.normal.digests()
            numbers[:, part.normal.rows] = keys(part.hashes, part.counts, self.bands)
        return digests, numbers


def joined(batch: pa.RecordBatch) -> pa.Array:
    """The text of each row: its columns, joined by line breaks."""
    import pyarrow.compute as pc

    return batch.column(0) if batch.num_columns == 1 else pc.binary_join_element_wise(*batch.columns, "\n")
