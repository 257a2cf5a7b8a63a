"""The stage `augment`: new training rows out of those that are there, each a pure function of its parent."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from runner.cache.cache import Cache
from runner.data.account import Tally, keep
from runner.data.counts import tally as labels_of
from runner.data.identify import contents, keys
from runner.data.tables import SLICE, at, mapped, write
from runner.data.written import written
from runner.parts.augment._augmentation import Augmentation, Parent, Places, Refused

if TYPE_CHECKING:
    import pyarrow as pa


class Asked(NamedTuple):
    """One augmentation, its place in the list, where what it names lies, and all that decides its variants."""

    place: int
    part: Augmentation
    places: Places
    identity: Mapping[str, Any]


class Peers(Sequence[str]):
    """The texts of a group of rows without the one at the place `own`, read when they are asked for."""

    def __init__(self, column: pa.ChunkedArray, group: np.ndarray, own: int) -> None:
        self.column, self.group, self.own = column, group, own

    def __len__(self) -> int:
        return len(self.group) - 1

    def __getitem__(self, place: Any) -> Any:
        index = range(len(self))[place]
        return self.column[int(self.group[index + (index >= self.own)])].as_py()


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
    known = {each for path in [train, *others] for each in contents(mapped(path), inputs).tolist()}
    alike = classes(table, targets)
    tallies = [Tally("augment", each.part.kind, "train", table.num_rows) for each in asked]

    def batches() -> Iterator[pa.RecordBatch]:
        yield from with_parent(table)
        for each, tally in zip(asked, tallies, strict=True):
            began = time.perf_counter()
            yield from made(each, table, inputs, alike, known, tally, cache)
            tally.seconds = time.perf_counter() - began

    write(entry / "train.arrow", batches())
    keep(entry, tallies)


def with_parent(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows as they are, with the column `parent`, which is empty."""
    import pyarrow as pa

    yield pa.RecordBatch.from_pylist([], table.schema.append(pa.field("parent", pa.string())))
    for batch in table.to_batches(max_chunksize=SLICE):
        yield batch.append_column("parent", pa.array([""] * batch.num_rows, pa.string()))


def most(train: Path, asked: Sequence[Asked], targets: Sequence[str]) -> dict[str, Any]:
    """Rows and labels of train if no variant were refused or repeated a text: an upper bound."""
    table = mapped(train)
    rows = table.num_rows
    labels = {target: labels_of(table, target) for target in targets}
    for each in asked:
        parents = at(table, parents_of(each.part, each.place, table["id"]))
        rows += parents.num_rows * each.part.copies
        for target in targets:
            for label, count in labels_of(parents, target).items():
                labels[target][label] += count * each.part.copies
    return {"rows": {"train": rows}, "labels": {target: {"train": found} for target, found in labels.items()}}


def made(
    asked: Asked,
    table: pa.Table,
    inputs: Sequence[str],
    alike: Mapping[int, tuple[np.ndarray, int]],
    known: set[int],
    tally: Tally,
    cache: Cache,
) -> Iterator[pa.RecordBatch]:
    """The new rows of one augmentation, parents in the order of their ids."""
    import pyarrow as pa

    part, place = asked.part, asked.place
    vary = varied(asked, cache)
    columns = part.columns or inputs
    parents = parents_of(part, place, table["id"])
    for start in range(0, len(parents), SLICE):
        rows = parents[start : start + SLICE]
        given = at(table, rows)
        ids = given["id"].to_pylist()
        for copy in range(part.copies):
            texts = {name: given[name].to_pylist() for name in inputs}
            before = dict(texts)
            for name in columns:
                bound = [
                    Parent(
                        id,
                        text,
                        seeded(part, place, id, copy, "" if part.together else name),
                        Peers(table[name], *alike[row]),
                    )
                    for id, text, row in zip(ids, texts[name], rows.tolist(), strict=True)
                ]
                texts[name] = list(taken(vary(bound, copy, name), bound, tally))
            new = given
            for name in columns:
                new = new.set_column(new.column_names.index(name), name, pa.array(texts[name], pa.string()))
            fresh = []
            for row, content in enumerate(contents(new, inputs).tolist()):
                if content not in known:
                    known.add(content)
                    fresh.append(row)
                    tally.sample("made", {"id": ids[row], **shown(before, texts, columns, row)})
            tally.made += len(fresh)
            named = [f"{id}~{place}.{part.kind}.{copy}" for id in ids]
            new = new.set_column(0, "id", pa.array(named, pa.string()))
            new = new.append_column("parent", pa.array(ids, pa.string()))
            yield from new.take(np.array(fresh, np.int64)).combine_chunks().to_batches()


def varied(asked: Asked, cache: Cache) -> Callable[[list[Parent], int, str], Iterator[str | Refused]]:
    """What makes the variants of parents; what models write is cached by itself, since it takes long."""
    ready = once(lambda: asked.part.ready(asked.places))

    def vary(parents: list[Parent], copy: int, column: str) -> Iterator[str | Refused]:
        if not asked.part.models:
            return ready()(parents)
        why = {**asked.identity, "place": asked.place, "copy": copy, "column": column}
        return written(parents, why, ready, cache)

    return vary


def taken(variants: Iterator[str | Refused], parents: Sequence[Parent], tally: Tally) -> Iterator[str]:
    """The texts of variants; that of the parent, which makes no new row, where one is refused."""
    for parent, variant in zip(parents, variants, strict=True):
        if isinstance(variant, Refused):
            tally.refused[variant.reason] = tally.refused.get(variant.reason, 0) + 1
        yield parent.text if isinstance(variant, Refused) else variant


def shown(
    before: Mapping[str, list[str]], after: Mapping[str, list[str]], columns: Sequence[str], row: int
) -> dict[str, str]:
    """A parent's text and its variant."""
    return {"before": before[columns[0]][row], "after": after[columns[0]][row]}


def parents_of(part: Augmentation, place: int, ids: pa.ChunkedArray) -> np.ndarray:
    """Positions of the rows that get variants, in the order of their ids."""
    u = keys(ids, f"augment:{part.seed}:{place}:".encode()) / 2**64
    rows = np.flatnonzero(u < part.share)
    names = np.array(ids.take(rows).to_pylist(), object)
    return rows[np.argsort(names, kind="stable")] if len(rows) else rows


def classes(table: pa.Table, targets: Sequence[str]) -> dict[int, tuple[np.ndarray, int]]:
    """For each row, the rows with the same labels in the order of their ids, and its own place among them."""
    hashed = contents(table, targets)
    names = np.array(table["id"].to_pylist(), object)
    order = np.lexsort((np.argsort(np.argsort(names)), hashed))
    ordered = hashed[order]
    groups = np.split(order, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)
    return {row: (group, own) for group in groups for own, row in enumerate(group.tolist())}


def seeded(part: Augmentation, place: int, id: str, copy: int, column: str) -> random.Random:
    """The random choices of one variant."""
    words = f"{part.seed}\x1f{part.kind}\x1f{place}\x1f{id}\x1f{copy}\x1f{column}"
    return random.Random(hashlib.sha256(words.encode()).digest())
