"""Rows whose texts are alike: within one table, or of one table in another.

Two texts are alike when the sets of shingles of their normalised forms have a Jaccard similarity of at least the
threshold. MinHash proposes pairs, their sets decide: no pair is told that isn't alike, and few that are get missed.
Files and time grow with the rows; memory is about 50 bytes a row, and texts are read from the table when needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from runner.parts.cleaners._buckets import MANY, entries_of, greedy, rows_of
from runner.parts.cleaners._minhash import bands_for
from runner.parts.cleaners._pairs import Pairs, Texts
from runner.parts.cleaners._shingles import Shingles, Unit
from runner.parts.cleaners._sketches import sketch

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class Twin(NamedTuple):
    """The row at `position` is like the row at `twin`; `exact` when their normalised texts are the same."""

    position: int
    twin: int
    similarity: float
    exact: bool


def repeats(
    table: pa.Table,
    inputs: Sequence[str],
    scratch: Path,
    *,
    threshold: float = 0.8,
    unit: Unit = "characters",
    size: int = 5,
    workers: int | None = None,
) -> Iterator[Twin]:
    """The rows of a table that are like another one, by position; without them no two rows that stay are alike.

    In the order of the `id`, a row stays unless it is like a row that stays, which is its twin: neither the order of
    the rows nor the number of workers changes which rows these are. The text of a row is its `inputs`, joined by line
    breaks. Files go to a folder of their own in `scratch`, which is made if need be, and away in the end.
    """
    import numpy as np

    if not table.num_rows:
        return
    scratch.mkdir(parents=True, exist_ok=True)
    shingles = Shingles(unit, size)
    with TemporaryDirectory(dir=scratch) as folder:
        sketches = sketch(table, inputs, Path(folder, "sketches"), shingles, bands_for(threshold), workers)
        firsts, group = distinct(sketches.digests(), by_id(table))
        bands = (sketches.keys(band)[firsts] for band in range(sketches.bands.count))
        texts = Texts(table, inputs, firsts)
        alike = Pairs(shingles, texts, texts).alike
        twins, similarities = greedy(bands, len(firsts), threshold, alike, Path(folder))
        stays = np.zeros(len(group), bool)
        stays[firsts[twins < 0]] = True
        for position in np.flatnonzero(~stays).tolist():
            row = group[position]
            twin = twins[row]
            if twin < 0:
                yield Twin(position, int(firsts[row]), 1.0, True)
            else:
                yield Twin(position, int(firsts[twin]), float(similarities[row]), False)


def across(
    reference: pa.Table,
    others: pa.Table,
    inputs: Sequence[str],
    scratch: Path,
    *,
    threshold: float = 0.8,
    unit: Unit = "characters",
    size: int = 5,
    workers: int | None = None,
) -> Iterator[Twin]:
    """The rows of `others` that are like a row of `reference`, by position; `twin` is the position of that row there.

    A row's twin is the first of those with the same normalised text, or else one that is like it: which one depends on
    the order of `reference`, that there is one doesn't. The text of a row is its `inputs`, joined by line breaks.
    Files go to a folder of their own in `scratch`, which is made if need be, and away in the end.
    """
    import numpy as np

    if not reference.num_rows or not others.num_rows:
        return
    scratch.mkdir(parents=True, exist_ok=True)
    shingles, bands = Shingles(unit, size), bands_for(threshold)
    with TemporaryDirectory(dir=scratch) as folder:
        known = sketch(reference, inputs, Path(folder, "reference"), shingles, bands, workers)
        asked = sketch(others, inputs, Path(folder, "others"), shingles, bands, workers)
        firsts, _ = distinct(known.digests(), np.arange(known.rows))
        rows, group = distinct(asked.digests(), np.arange(asked.rows))
        twins = same(known.digests()[firsts], asked.digests()[rows])
        exact = twins >= 0
        similarities = exact.astype(float)
        pairs = Pairs(shingles, Texts(reference, inputs, firsts), Texts(others, inputs, rows))
        for band in range(bands.count):
            search(known.keys(band)[firsts], asked.keys(band)[rows], threshold, pairs, twins, similarities)
        for position in np.flatnonzero(twins[group] >= 0).tolist():
            row = group[position]
            yield Twin(position, int(firsts[twins[row]]), float(similarities[row]), bool(exact[row]))


def by_id(table: pa.Table) -> np.ndarray:
    """The positions of the rows in the order of their ids."""
    import numpy as np
    import pyarrow.compute as pc

    return pc.sort_indices(table["id"]).to_numpy().astype(np.int32)


def distinct(digests: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The position of the first row of each text, in this order, and for each position the number of its text there."""
    import numpy as np

    ordered = digests[order]
    sorting = np.lexsort((ordered[:, 1], ordered[:, 0]))
    ordered = ordered[sorting]
    begins = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    del ordered
    firsts = sorting[begins]
    ranks = np.argsort(firsts)
    numbers = np.empty(len(firsts), np.int32)
    numbers[ranks] = np.arange(len(firsts), dtype=np.int32)
    group = np.empty(len(order), np.int32)
    group[order[sorting]] = numbers[np.cumsum(begins) - 1]
    return order[firsts[ranks]], group


def same(known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Where each digest stands among others, or -1."""
    import numpy as np

    order = np.argsort(known[:, 0], kind="stable").astype(np.int32)
    places = np.minimum(np.searchsorted(known[order, 0], asked[:, 0]), len(order) - 1)
    found = order[places]
    return np.where((known[found] == asked).all(axis=1), found, np.int32(-1))


def search(
    known: np.ndarray, asked: np.ndarray, threshold: float, pairs: Pairs, twins: np.ndarray, similarities: np.ndarray
) -> None:
    """Give rows without a twin the first row in their bucket of one band that is like them.

    A bucket is gone through in steps that double, so that neither few large ones nor many small ones take long.
    """
    import numpy as np

    bucket = entries_of(known)
    rows = np.flatnonzero(twins < 0)
    least = asked[rows].astype(np.uint64) << np.uint64(32)
    starts, ends = np.searchsorted(bucket, least), np.searchsorted(bucket, least | np.uint64(2**32 - 1), "right")
    width = 1
    while len(rows):
        for block in range(0, len(rows), max(1, MANY // width)):
            here = slice(block, block + max(1, MANY // width))
            counts = np.clip(ends[here] - starts[here], 0, width)
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            candidates = rows_of(bucket[np.repeat(starts[here], counts) + within])
            askers = np.repeat(rows[here], counts)
            found = pairs.alike(candidates, askers)
            hits = np.flatnonzero(found >= threshold)
            each, first = np.unique(askers[hits], return_index=True)
            twins[each], similarities[each] = candidates[hits][first], found[hits][first]
        starts = starts + width
        open_ = (twins[rows] < 0) & (starts < ends)
        rows, starts, ends = rows[open_], starts[open_], ends[open_]
        width = min(2 * width, MANY)
