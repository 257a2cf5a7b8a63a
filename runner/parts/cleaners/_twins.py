"""Rows whose texts are alike: within one table, or of one table in another.

Two texts are alike when the sets of shingles of their normalised forms have a Jaccard similarity of at least the
threshold. Rows of several columns are alike when each column is like the same column of the other row: neither a long
premise that two rows share nor the same two texts the other way round make them alike.

MinHash proposes pairs, their sets decide: no pair is told that isn't alike, and few that are get missed. Files and time
grow with the rows; memory is about 40 bytes a row, and texts are read from the table when needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from runner.parts.cleaners._buckets import banded, greedy, scattered
from runner.parts.cleaners._contents import distinct
from runner.parts.cleaners._entries import MANY, entries_of, rows_of, spans
from runner.parts.cleaners._minhash import bands_for
from runner.parts.cleaners._order import by_id
from runner.parts.cleaners._pairs import Pairs, Texts, apart
from runner.parts.cleaners._shingles import Shingles, Unit
from runner.parts.cleaners._sketches import Sketches, sketch

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class Twin(NamedTuple):
    """The row at `position` is like the row at `twin`; `exact` when all their normalised texts are the same."""

    position: int
    twin: int
    similarity: float  # of the column in which it is smallest
    exact: bool


class Found(NamedTuple):
    """The same for many rows: arrays of one length."""

    positions: np.ndarray
    twins: np.ndarray
    similarities: np.ndarray
    exact: np.ndarray

    def each(self) -> Iterator[Twin]:
        """Row by row."""
        for start in range(0, len(self.positions), MANY):
            columns = (column[start : start + MANY].tolist() for column in self)
            yield from map(Twin._make, zip(*columns, strict=True))


def repeats(
    table: pa.Table,
    inputs: Sequence[str],
    scratch: Path,
    *,
    threshold: float = 0.8,
    unit: Unit = "characters",
    size: int = 5,
    workers: int | None = None,
) -> Found:
    """The rows of a table that are like one that stays, by position.

    In the order of the `id`, a row stays unless it is like a row that stays, which is its twin: neither the order of
    the rows nor the number of workers changes which rows these are, nor does that of the `inputs`. Files go to a
    folder of their own in `scratch`, which is made if need be, and away in the end.
    """
    import numpy as np

    if not table.num_rows:
        return Found(*np.empty((4, 0), np.int64))
    scratch.mkdir(parents=True, exist_ok=True)
    shingles = Shingles(unit, size)
    with TemporaryDirectory(dir=scratch) as folder:
        sketches = sketch(table, inputs, Path(folder, "sketches"), shingles, bands_for(threshold, len(inputs)), workers)
        firsts, group = distinct(sketches.digests(), by_id(table))
        bands = banded((sketches.keys(band)[firsts] for band in range(sketches.bands.count)), Path(folder))
        compared = np.zeros(len(firsts), bool)
        for band in bands:
            entries = band.read()
            for here in spans(len(entries)):
                compared[rows_of(entries[here])] = True
        del entries
        texts = apart(table, inputs, firsts, compared, Path(folder, "texts"))
        twins, similarities = greedy(bands, len(firsts), threshold, Pairs(shingles, texts, texts).alike)
        goes = np.ones(len(group), bool)
        goes[firsts[twins < 0]] = False
        exact = twins < 0
        twins[exact], similarities[exact] = np.flatnonzero(exact), 1.0
        return found(np.flatnonzero(goes), group, firsts, twins, similarities, exact)


class Side(NamedTuple):
    """A table, its sketches, and the positions of the rows that count, ascending."""

    table: pa.Table
    sketches: Sketches
    rows: np.ndarray


def side(
    table: pa.Table,
    inputs: Sequence[str],
    folder: Path,
    threshold: float,
    shingles: Shingles,
    workers: int | None = None,
) -> Side:
    """A table whose rows all count, sketched into a new folder."""
    import numpy as np

    sketches = sketch(table, inputs, folder, shingles, bands_for(threshold, len(inputs)), workers)
    return Side(table, sketches, np.arange(table.num_rows, dtype=np.int32))


def alike(known: Side, asked: Side, inputs: Sequence[str], shingles: Shingles, threshold: float) -> Found:
    """The rows of `asked` that are like a row of `known`, by position; both were sketched with these shingles.

    A row's twin is the first of those with the same normalised texts, or else one that is like it: which one depends on
    the order of `known`, that there is one doesn't.
    """
    import numpy as np

    if not len(known.rows) or not len(asked.rows):
        return Found(*np.empty((4, 0), np.int64))
    firsts, _ = distinct(known.sketches.digests(), known.rows)
    rows, group = distinct(asked.sketches.digests(), asked.rows)
    twins = same(known.sketches.digests(), firsts, asked.sketches.digests(), rows)
    exact = twins >= 0
    near = [(np.empty(0, np.int32), np.empty(0))]
    pairs = Pairs(shingles, Texts(known.table, inputs, firsts), Texts(asked.table, inputs, rows))
    for band in range(known.sketches.bands.count):
        entries, wanted = entries_of(known.sketches.keys(band)[firsts]), asked.sketches.keys(band)
        for here in spans(len(rows)):
            pending = here.start + np.flatnonzero(twins[here] < 0)
            near += search(entries, wanted[rows[pending]], pending, threshold, pairs, twins)
    goes = np.zeros(len(group), bool)
    for here in spans(len(asked.rows)):
        goes[asked.rows[here]] = twins[group[asked.rows[here]]] >= 0
    similarities = scattered(near, len(rows))
    similarities[exact] = 1.0
    return found(np.flatnonzero(goes), group, firsts, twins, similarities, exact)


def found(
    positions: np.ndarray,
    group: np.ndarray,
    firsts: np.ndarray,
    twins: np.ndarray,
    similarities: np.ndarray,
    exact: np.ndarray,
) -> Found:
    """The twins of these positions, of which `group` has the content; `firsts` has the position of a twin."""
    rows = group[positions]
    return Found(positions, firsts[twins[rows]], similarities[rows], exact[rows])


def same(known: np.ndarray, firsts: np.ndarray, asked: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Where the digest of each of these rows stands among those of `firsts`, or -1."""
    import numpy as np

    halves = known[firsts, 0]
    order = np.argsort(halves, kind="stable").astype(np.int32)
    halves = halves[order]
    found = np.empty(len(rows), np.int32)
    for here in spans(len(rows)):
        wanted = asked[rows[here]]
        places = order[np.minimum(np.searchsorted(halves, wanted[:, 0]), len(order) - 1)]
        found[here] = np.where((known[firsts[places]] == wanted).all(axis=1), places, -1)
    return found


def search(
    entries: np.ndarray, keys: np.ndarray, rows: np.ndarray, threshold: float, pairs: Pairs, twins: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give rows, which have these keys, the first row in their bucket of one band that is like them.

    Told are the rows that got one, and how like.
    """
    import numpy as np

    least = keys.astype(np.uint64) << np.uint64(32)
    starts = np.searchsorted(entries, least)
    counts = np.searchsorted(entries, least | np.uint64(2**32 - 1), "right") - starts
    width = 1
    while len(rows := rows[counts > 0]):
        starts, counts = starts[counts > 0], counts[counts > 0]
        for block in range(0, len(rows), MANY // width):
            here = slice(block, block + MANY // width)
            tried = np.minimum(counts[here], width)
            places = np.arange(tried.sum()) + np.repeat(starts[here] - np.cumsum(tried) + tried, tried)
            candidates, askers = rows_of(entries[places]), np.repeat(rows[here], tried)
            found = pairs.alike(candidates, askers)
            hits = np.flatnonzero(found >= threshold)
            each, first = np.unique(askers[hits], return_index=True)
            twins[each] = candidates[hits][first]
            yield each.astype(np.int32), found[hits][first]
        starts, counts = starts + width, np.where(twins[rows] < 0, counts - width, 0)
        width = min(2 * width, MANY)  # so that neither many small buckets nor one large take long
