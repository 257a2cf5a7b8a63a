"""Sketches of the rows of a table, in files: a digest of their normalised texts, and their keys in all bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.parts.cleaners._contents import digests_in, hashed
from runner.parts.cleaners._minhash import Bands, keys
from runner.parts.cleaners._shingles import Shingles
from runner.parts.slices import batches
from runner.workers import spread, workers_for

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class Sketches:
    """What the files in `folder` tell of so many rows, in the order of the table."""

    folder: Path
    rows: int
    bands: Bands

    def digests(self) -> np.ndarray:
        """Two 64-bit numbers a row, the same where the normalised text of each column is the same."""
        return digests_in(self.folder / "digests", self.rows)

    def keys(self, band: int) -> np.ndarray:
        """A 32-bit number a row."""
        import numpy as np

        return np.asarray(np.memmap(self.folder / "keys", np.uint32, "r", 4 * self.rows * band, (self.rows,)))


def sketch(
    table: pa.Table, inputs: Sequence[str], folder: Path, shingles: Shingles, bands: Bands, workers: int | None = None
) -> Sketches:
    """Write the sketches of all rows into a new folder."""
    folder.mkdir()
    rows = table.num_rows
    start = 0
    table = table.select(sorted(inputs))  # their order shall change nothing
    workers = workers or workers_for(table.nbytes)
    done = spread(Sketcher, (shingles, bands), batches(table), workers)
    with open(folder / "digests", "wb") as digests, open(folder / "keys", "wb") as file:
        for found, numbers in done:
            digests.write(found)
            for band, row in enumerate(numbers):
                file.seek(4 * (rows * band + start))
                file.write(row)
            start += numbers.shape[1]
    return Sketches(folder, rows, bands)


class Sketcher:
    """The digests and keys of one batch after the other."""

    def __init__(self, shingles: Shingles, bands: Bands) -> None:
        self.shingles = shingles
        self.bands = bands

    def __call__(self, batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
        """The digests of the rows, and a row of keys a band."""
        import numpy as np

        digests = np.empty((batch.num_rows, batch.num_columns, 2), np.uint64)
        numbers = np.zeros((self.bands.count, batch.num_rows), np.uint32)
        for column, texts in enumerate(batch.columns):
            for part in self.shingles.of(texts, bits=32):
                digests[part.normal.rows, column] = part.normal.digests()
                more = keys(part.hashes, part.counts, self.bands, column, batch.num_columns)
                numbers[:, part.normal.rows] += more
        return whole(digests), numbers


def whole(digests: np.ndarray) -> np.ndarray:
    """One digest a row, of those of its columns."""
    return digests[:, 0] if digests.shape[1] == 1 else hashed(row.tobytes() for row in digests)
