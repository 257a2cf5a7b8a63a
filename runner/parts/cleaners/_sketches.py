"""Sketches of the texts of a table, in files: a digest of each normalised text, and its keys in all bands."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.parts.cleaners._minhash import Bands, keys, signatures
from runner.parts.cleaners._shingles import Shingles, normalised
from runner.workers import spread, workers_for

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ROWS = 8_192  # of a batch
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
    table: pa.Table, inputs: Sequence[str], folder: Path, shingles: Shingles, bands: Bands, workers: int | None
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

    def __call__(self, batch: pa.RecordBatch) -> tuple[bytes, np.ndarray]:
        """The digests of the rows, and a row of keys a band; repeats are looked at once."""
        import numpy as np

        texts = [normalised(text) for text in joined(batch)]
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        digests = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in places]
        numbers = keys(signatures(*self.shingles.of(list(places))), self.bands)
        rows = [places[text] for text in texts]
        return b"".join(digests[row] for row in rows), np.ascontiguousarray(numbers[:, rows])


def joined(batch: pa.RecordBatch) -> Iterator[str]:
    """The text of each row: its columns, joined by line breaks."""
    return map("\n".join, zip(*(column.to_pylist() for column in batch.columns), strict=True))
