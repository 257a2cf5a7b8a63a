"""Leakage: rows of an earlier split that stand, exactly or nearly, in a later one too.

A row of several input columns stands there if each of them is that of one row there, exactly or nearly. A later split
never changes: validation loses what is in test, train what is in test or in validation. Without this a score says how
well texts were remembered.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from runner.data.account import Gone, Ledger, Tally, batch_of, text_of
from runner.data.tables import SLICE, at, mapped, taken, write
from runner.parts.cleaners._shingles import Shingles
from runner.parts.cleaners._twins import Side, Twin, alike, side

if TYPE_CHECKING:
    import pyarrow as pa

SIMILAR = 0.8  # Jaccard
SHINGLES = Shingles("characters", 5)
LATER = {"validation": ("test",), "train": ("test", "validation")}


def leaks(entry: Path, splits: Sequence[str], inputs: Sequence[str], mode: str, gone: Ledger) -> list[Tally]:
    """Look for rows that leak, take them out of the tables in `entry` if `mode` is drop, and say which they are.

    Each split is sketched once, and written anew once at most.
    """
    tallies = []
    with TemporaryDirectory(dir=entry) as scratch:
        sides = Sides(entry, inputs, Path(scratch))
        for split, others in LATER.items():
            for other in others:
                if split in splits and other in splits:
                    tallies.append(between(sides, split, other, inputs, mode, gone))
        for split, each in sides.items():
            if len(each.rows) < each.table.num_rows:
                write(entry / f".{split}.arrow", taken(each.table, each.rows))
    for split in sides:
        if (beside := entry / f".{split}.arrow").exists():
            beside.replace(entry / f"{split}.arrow")
    return tallies


class Sides(dict[str, Side]):
    """The splits with their sketches, made when they are first asked for."""

    def __init__(self, entry: Path, inputs: Sequence[str], scratch: Path) -> None:
        self.entry, self.inputs, self.scratch = entry, inputs, scratch

    def __missing__(self, split: str) -> Side:
        table = mapped(self.entry / f"{split}.arrow")
        self[split] = side(table, self.inputs, self.scratch / split, SIMILAR, SHINGLES)
        return self[split]


def between(sides: Sides, split: str, other: str, inputs: Sequence[str], mode: str, gone: Ledger) -> Tally:
    """Look for the rows of `split` that stand in `other` too, and add them to `gone`."""
    began = time.perf_counter()
    mine, theirs = sides[split], sides[other]
    tally = Tally("split", f"leakage against {other}", split, len(mine.rows))
    kept = np.ones(mine.table.num_rows, bool)
    found = alike(theirs, mine, inputs, SHINGLES, SIMILAR).each()
    while twins := list(islice(found, SLICE)):
        rows = list(leaked(mine.table, theirs.table, twins, split, other, inputs, flagged=mode == "warn"))
        for row in rows:
            tally.gone(row)
        gone.append(batch_of(rows))
        kept[[each.position for each in twins]] = False
    if mode == "drop":
        sides[split] = mine._replace(rows=mine.rows[kept[mine.rows]])
    tally.seconds = time.perf_counter() - began
    return tally


def leaked(
    mine: pa.Table,
    theirs: pa.Table,
    twins: Sequence[Twin],
    split: str,
    other: str,
    inputs: Sequence[str],
    *,
    flagged: bool,
) -> Iterator[Gone]:
    """Rows that leak, each with its twin in the later split."""
    table = at(mine.select(["id", "line", *inputs]), np.array([each.position for each in twins]))
    names = at(theirs.select(["id"]), np.array([each.twin for each in twins]))["id"].to_pylist()
    for row, each, twin in zip(table.to_pylist(), twins, names, strict=True):
        reason = f"{'also' if each.exact else 'nearly the same'} in {other}"
        yield Gone(split, row["id"], row["line"], "leakage", reason, twin, flagged, text_of(row, inputs))
