"""The stage `augment`: new training rows out of those that are there, each a pure function of its parent."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.data.account import Tally, keep
from runner.data.identify import contents, keys
from runner.data.tables import SLICE, at, mapped, write
from runner.parts.augment._augmentation import Augmentation, Parent

if TYPE_CHECKING:
    import pyarrow as pa


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
    parts: Sequence[Augmentation],
    inputs: Sequence[str],
    targets: Sequence[str],
    entry: Path,
) -> None:
    """Write the rows of train and those made of them; a text that stands in train or in `others` is not made again."""
    table = mapped(train)
    known = {each for path in [train, *others] for each in contents(mapped(path), inputs).tolist()}
    alike = classes(table, targets)
    tallies = [Tally("augment", part.kind, "train", table.num_rows) for part in parts]

    def batches() -> Iterator[pa.RecordBatch]:
        yield from with_parent(table)
        for place, (part, tally) in enumerate(zip(parts, tallies, strict=True)):
            began = time.perf_counter()
            yield from made(part, place, table, inputs, alike, known, tally)
            tally.seconds = time.perf_counter() - began

    write(entry / "train.arrow", batches())
    keep(entry, tallies)


def with_parent(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows as they are, with the column `parent`, which is empty."""
    import pyarrow as pa

    yield pa.RecordBatch.from_pylist([], table.schema.append(pa.field("parent", pa.string())))
    for batch in table.to_batches(max_chunksize=SLICE):
        yield batch.append_column("parent", pa.array([""] * batch.num_rows, pa.string()))


def made(
    part: Augmentation,
    place: int,
    table: pa.Table,
    inputs: Sequence[str],
    alike: Mapping[int, tuple[np.ndarray, int]],
    known: set[int],
    tally: Tally,
) -> Iterator[pa.RecordBatch]:
    """The new rows of one augmentation, parents in the order of their ids."""
    import pyarrow as pa

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
                    Parent(id, text, seeded(part, place, id, copy, name), Peers(table[name], *alike[row]))
                    for id, text, row in zip(ids, texts[name], rows.tolist(), strict=True)
                ]
                texts[name] = list(part.variants(bound))
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
