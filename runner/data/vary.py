"""The new rows that an augmentation makes of a few parents: a pure function, in whatever process it is called."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from runner.data.account import Tally
from runner.data.identify import contents
from runner.data.named import Asked
from runner.data.peers import Classes, Peers
from runner.data.tables import at, mapped
from runner.parts.augment._augmentation import Augmentation, Parent, Refused

if TYPE_CHECKING:
    import pyarrow as pa


class Fresh(NamedTuple):
    """A row a parent, also where it repeats a text that is there; `contents` are the hashes of the inputs."""

    rows: pa.RecordBatch
    contents: np.ndarray


class Maker:
    """What makes new rows of those of the table at `train`; the folder `classes` says who has the same labels."""

    def __init__(self, asked: Asked, train: Path, inputs: Sequence[str], classes: Path) -> None:
        self.asked, self.inputs = asked, inputs
        self.columns = asked.part.columns or inputs
        self.table = mapped(train)
        self.classes = Classes(classes)

    @cached_property
    def vary(self) -> Callable[[Iterable[Parent]], Iterator[str | Refused]]:
        """What makes the variants, set up when the first is wanted: a model may be loaded."""
        return self.asked.part.ready(self.asked.places)

    def __call__(self, job: tuple[int, np.ndarray]) -> tuple[Fresh, Tally]:
        """Copy number so-and-so of each row at these positions, and what was refused."""
        copy, parents = job
        tally = Tally("augment", self.asked.part.kind, "train")
        texts = {}
        for column in self.columns:
            ahead, behind = tee(self.parents(parents, column, copy))  # a generator of choices takes 2.5 kB
            texts[column] = list(taken(self.vary(ahead), behind, tally))
        return self.fresh(parents, copy, texts), tally

    def parents(self, rows: np.ndarray, column: str, copy: int) -> Iterator[Parent]:
        """What an augmentation is told of each row at these positions."""
        part, place = self.asked.part, self.asked.place
        salt = "" if part.together else column
        texts = self.table[column]
        given = at(self.table.select(["id", column]), rows)
        ids, own = given["id"].to_pylist(), given[column].to_pylist()
        for id, text, group in zip(ids, own, self.classes.of(rows), strict=True):
            yield Parent(id, text, seeded(part, place, id, copy, salt), Peers(texts, *group))

    def fresh(self, parents: np.ndarray, copy: int, texts: Mapping[str, Sequence[str]]) -> Fresh:
        """The parents' rows with these texts, under ids of their own."""
        import pyarrow as pa

        new = at(self.table, parents)
        for column, variants in texts.items():
            new = new.set_column(new.column_names.index(column), column, pa.array(variants, pa.string()))
        ids, name = new["id"], f"~{self.asked.place}.{self.asked.part.kind}.{copy}"
        own = pa.array([id + name for id in ids.to_pylist()], pa.string())
        new = new.set_column(0, "id", own).append_column("parent", ids).combine_chunks()
        return Fresh(new.to_batches()[0], contents(new, self.inputs))


def taken(variants: Iterator[str | Refused], parents: Iterable[Parent], tally: Tally) -> Iterator[str]:
    """The texts of variants; that of the parent, which makes no new row, where one is refused."""
    for parent, variant in zip(parents, variants, strict=True):
        if isinstance(variant, Refused):
            tally.refused[variant.reason] = tally.refused.get(variant.reason, 0) + 1
        yield parent.text if isinstance(variant, Refused) else variant


def seeded(part: Augmentation, place: int, id: str, copy: int, column: str) -> random.Random:
    """The random choices of one variant."""
    words = f"{part.seed}\x1f{part.kind}\x1f{place}\x1f{id}\x1f{copy}\x1f{column}"
    return random.Random(hashlib.sha256(words.encode()).digest())
