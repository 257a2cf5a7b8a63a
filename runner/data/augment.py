"""The stage `augment`: new training rows out of those that are there, each a pure function of its parent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice, tee
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.cache.cache import Cache
from runner.data.account import Tally, keep
from runner.data.counts import tally as labels_of
from runner.data.identify import contents, keys
from runner.data.known import Known
from runner.data.named import Asked
from runner.data.peers import grouped
from runner.data.tables import SLICE, at, batches, cuts, mapped, sizes, write
from runner.data.vary import Fresh, Maker, taken
from runner.data.written import written
from runner.parts.augment._augmentation import Augmentation
from runner.parts.cleaners._order import by_id
from runner.workers import spread, workers_for

if TYPE_CHECKING:
    import pyarrow as pa

Job = tuple[int, np.ndarray]


def augment(
    train: Path,
    others: Sequence[Path],
    asked: Sequence[Asked],
    inputs: Sequence[str],
    targets: Sequence[str],
    entry: Path,
    cache: Cache,
) -> None:
    """Write the rows of train and those made of them; a text that stands in train or in `others` is not made again."""
    table = mapped(train)
    order, bytes_ = by_id(table), sizes(table)
    known = Known([contents(mapped(path), inputs) for path in [train, *others]])
    tallies = [Tally("augment", each.part.kind, "train", table.num_rows) for each in asked]

    def made_too(classes: Path) -> Iterator[pa.RecordBatch]:
        grouped(table, targets, order, classes)
        yield from with_parent(table)
        for each, tally in zip(asked, tallies, strict=True):
            began = time.perf_counter()
            parents = order[chosen(each.part, each.place, table["id"])[order]]
            column = (each.part.columns or inputs)[0]
            for positions, fresh in made((each, train, inputs, classes), parents, bytes_, tally, cache):
                yield unknown(fresh, positions, column, table, known, tally)
            tally.seconds = time.perf_counter() - began

    with TemporaryDirectory(dir=entry) as scratch:
        write(entry / "train.arrow", made_too(Path(scratch)))
    keep(entry, tallies)


def with_parent(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows as they are, with the column `parent`, which is empty."""
    import pyarrow as pa

    yield pa.RecordBatch.from_pylist([], table.schema.append(pa.field("parent", pa.string())))
    for batch in batches(table):
        yield batch.append_column("parent", pa.array([""] * batch.num_rows, pa.string()))


def most(train: Path, asked: Sequence[Asked], targets: Sequence[str]) -> dict[str, Any]:
    """Rows and labels of train if no variant were refused or repeated a text: an upper bound."""
    table = mapped(train)
    rows = table.num_rows
    labels = {target: labels_of(table, target) for target in targets}
    for each in asked:
        parents = np.flatnonzero(chosen(each.part, each.place, table["id"]))
        rows += len(parents) * each.part.copies
        theirs = at(table.select(list(targets)), parents)
        for target in targets:
            for label, count in labels_of(theirs, target).items():
                labels[target][label] += count * each.part.copies
    return {"rows": {"train": rows}, "labels": {target: {"train": found} for target, found in labels.items()}}


def made(
    given: tuple[Asked, Path, Sequence[str], Path], parents: np.ndarray, bytes_: np.ndarray, tally: Tally, cache: Cache
) -> Iterator[tuple[np.ndarray, Fresh]]:
    """The new rows of one augmentation with the positions of their parents, `SLICE` parents copy by copy."""
    part = given[0].part
    if part.models:
        yield from dictated(Maker(*given), parents, bytes_, tally, cache)
        return
    ahead, behind = tee(job for block in jobs(parents, bytes_, part.copies) for job in block)
    workers = workers_for(int(bytes_[parents].sum(dtype=np.int64)) * part.copies)
    for (_, positions), (fresh, more) in zip(behind, spread(Maker, given, ahead, workers), strict=True):
        tally.add(more)
        yield positions, fresh


def jobs(parents: np.ndarray, bytes_: np.ndarray, copies: int) -> Iterator[list[Job]]:
    """The number of a copy with the parents that get it, few enough to hold; those of one block and copy together."""
    for start in range(0, len(parents), SLICE):
        several = parents[start : start + SLICE]
        pieces = [several[cut] for cut in cuts(bytes_[several])]
        yield from ([(copy, piece) for piece in pieces] for copy in range(copies))


def dictated(
    maker: Maker, parents: np.ndarray, bytes_: np.ndarray, tally: Tally, cache: Cache
) -> Iterator[tuple[np.ndarray, Fresh]]:
    """The rows that a model writes, in this process alone: its texts are cached by themselves, across pieces."""
    asked = maker.asked
    for block in jobs(parents, bytes_, asked.part.copies):
        texts = {column: dictation(maker, block, column, tally, cache) for column in maker.columns}
        for copy, piece in block:
            some = {column: list(islice(each, len(piece))) for column, each in texts.items()}
            yield piece, maker.fresh(piece, copy, some)
        for left in texts.values():
            next(left, None)  # the end, where it is seen that each parent had one variant


def dictation(maker: Maker, block: Sequence[Job], column: str, tally: Tally, cache: Cache) -> Iterator[str]:
    """The texts of a block of parents in one column, written while they are asked for."""
    asked, copy = maker.asked, block[0][0]
    ahead, behind = tee(parent for _, piece in block for parent in maker.parents(piece, column, copy))
    why = {**asked.identity, "place": asked.place, "copy": copy, "column": column}
    return taken(written(ahead, why, lambda: maker.vary, cache), behind, tally)


def unknown(
    fresh: Fresh, parents: np.ndarray, column: str, table: pa.Table, known: Known, tally: Tally
) -> pa.RecordBatch:
    """The rows whose content is not known yet; `column` is the one that samples tell."""
    rows = known.fresh(fresh.contents)
    tally.made += len(rows)
    ids = fresh.rows["parent"].to_pylist()
    for row in rows.tolist():
        if tally.wants("made", ids[row]):
            before, after = table[column][int(parents[row])], fresh.rows[column][row]
            tally.sample("made", {"id": ids[row], "before": before.as_py(), "after": after.as_py()})
    return fresh.rows.take(rows)


def chosen(part: Augmentation, place: int, ids: pa.ChunkedArray) -> np.ndarray:
    """Which rows get variants."""
    u = keys(ids, f"augment:{part.seed}:{place}:".encode()) / 2**64
    found: np.ndarray = u < part.share
    return found
