"""The stage `augment`: new training rows out of those that are there, each a pure function of its parent."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache as once
from itertools import islice, tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from runner.cache.cache import Cache
from runner.data.account import Tally, keep
from runner.data.counts import tally as labels_of
from runner.data.identify import contents, keys
from runner.data.known import Known
from runner.data.named import Asked
from runner.data.peers import Classes, Peers
from runner.data.tables import SLICE, at, batches, cuts, mapped, sizes, write
from runner.data.written import written
from runner.parts.augment._augmentation import Augmentation, Parent, Refused
from runner.parts.cleaners._entries import spans
from runner.parts.cleaners._order import by_id

if TYPE_CHECKING:
    import pyarrow as pa


class Rows(NamedTuple):
    """The rows of train: their positions in the order of their ids, who has the same labels, and their bytes."""

    table: pa.Table
    inputs: Sequence[str]
    by_id: np.ndarray
    classes: Classes
    sizes: np.ndarray


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
    order = by_id(table)
    rows = Rows(table, inputs, order, Classes(table, targets, order), sizes(table))
    tables = [table, *map(mapped, others)]
    known = Known((contents(each, inputs) for each in tables), sum(each.num_rows for each in tables))
    tallies = [Tally("augment", each.part.kind, "train", table.num_rows) for each in asked]

    def made_too() -> Iterator[pa.RecordBatch]:
        yield from with_parent(table)
        for each, tally in zip(asked, tallies, strict=True):
            began = time.perf_counter()
            yield from made(each, rows, known, tally, cache)
            tally.seconds = time.perf_counter() - began

    write(entry / "train.arrow", made_too())
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


def made(asked: Asked, rows: Rows, known: Known, tally: Tally, cache: Cache) -> Iterator[pa.RecordBatch]:
    """The new rows of one augmentation, parents in the order of their ids, `SLICE` parents copy by copy."""
    part = asked.part
    vary = varied(asked, cache)
    columns = part.columns or rows.inputs
    parents = rows.by_id[chosen(part, asked.place, rows.table["id"])[rows.by_id]]
    for start in range(0, len(parents), SLICE):
        several = parents[start : start + SLICE]
        pieces = [several[cut] for cut in cuts(rows.sizes[several])]
        for copy in range(part.copies):
            texts = {name: variants(asked, rows, pieces, name, copy, vary, tally) for name in columns}
            for piece in pieces:
                yield from fresh(f"{asked.place}.{part.kind}.{copy}", rows, piece, texts, known, tally)
            for left in texts.values():
                next(left, None)  # the end, where it is seen that each parent had one variant


def fresh(
    name: str, rows: Rows, parents: np.ndarray, texts: Mapping[str, Iterator[str]], known: Known, tally: Tally
) -> Iterator[pa.RecordBatch]:
    """The rows that these parents make with the next texts of each column, but for those whose content is known."""
    import pyarrow as pa

    given = new = at(rows.table, parents)
    for column, variants in texts.items():
        varied = pa.array(list(islice(variants, len(parents))), pa.string())
        new = new.set_column(new.column_names.index(column), column, varied)
    made = known.fresh(contents(new, rows.inputs))
    tally.made += len(made)
    ids = given["id"].to_pylist()
    first = next(iter(texts))
    before, after = given[first].to_pylist(), new[first].to_pylist()
    for row in made.tolist():
        tally.sample("made", {"id": ids[row], "before": before[row], "after": after[row]})
    new = new.set_column(0, "id", pa.array([f"{id}~{name}" for id in ids], pa.string()))
    new = new.append_column("parent", pa.array(ids, pa.string()))
    yield from new.take(made).combine_chunks().to_batches()


def variants(
    asked: Asked,
    rows: Rows,
    pieces: Sequence[np.ndarray],
    column: str,
    copy: int,
    vary: Callable[[Iterable[Parent], int, str], Iterator[str | Refused]],
    tally: Tally,
) -> Iterator[str]:
    """The new texts of parents in one column, made while they are asked for."""
    ahead, behind = tee(parents_of(asked, rows, pieces, column, copy))
    return taken(vary(ahead, copy, column), behind, tally)


def parents_of(asked: Asked, rows: Rows, pieces: Sequence[np.ndarray], column: str, copy: int) -> Iterator[Parent]:
    """What an augmentation is told of each parent, read piece by piece."""
    part, place = asked.part, asked.place
    salt = "" if part.together else column
    texts = rows.table[column]
    for piece in pieces:
        given = at(rows.table.select(["id", column]), piece)
        ids, own = given["id"].to_pylist(), given[column].to_pylist()
        for id, text, group in zip(ids, own, rows.classes.of(piece), strict=True):
            yield Parent(id, text, seeded(part, place, id, copy, salt), Peers(texts, *group))


def varied(asked: Asked, cache: Cache) -> Callable[[Iterable[Parent], int, str], Iterator[str | Refused]]:
    """What makes the variants of parents; what models write is cached by itself, since it takes long."""
    ready = once(lambda: asked.part.ready(asked.places))

    def vary(parents: Iterable[Parent], copy: int, column: str) -> Iterator[str | Refused]:
        if not asked.part.models:
            return ready()(parents)
        why = {**asked.identity, "place": asked.place, "copy": copy, "column": column}
        return written(parents, why, ready, cache)

    return vary


def taken(variants: Iterator[str | Refused], parents: Iterable[Parent], tally: Tally) -> Iterator[str]:
    """The texts of variants; that of the parent, which makes no new row, where one is refused."""
    for parent, variant in zip(parents, variants, strict=True):
        if isinstance(variant, Refused):
            tally.refused[variant.reason] = tally.refused.get(variant.reason, 0) + 1
        yield parent.text if isinstance(variant, Refused) else variant


def chosen(part: Augmentation, place: int, ids: pa.ChunkedArray) -> np.ndarray:
    """Which rows get variants."""
    found, salt = np.empty(len(ids), bool), f"augment:{part.seed}:{place}:".encode()
    for here in spans(len(ids)):
        found[here] = keys(ids.slice(here.start, here.stop - here.start), salt) / 2**64 < part.share
    return found


def seeded(part: Augmentation, place: int, id: str, copy: int, column: str) -> random.Random:
    """The random choices of one variant."""
    words = f"{part.seed}\x1f{part.kind}\x1f{place}\x1f{id}\x1f{copy}\x1f{column}"
    return random.Random(hashlib.sha256(words.encode()).digest())
