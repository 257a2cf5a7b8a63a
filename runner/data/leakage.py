"""Leakage: rows of an earlier split that stand, exactly or nearly, in a later one too.

A later split never changes: validation loses what is in test, train what is in test or in validation. Without this a
score says how well texts were remembered.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from runner.data.account import Gone, Ledger, Tally, batch_of, text_of
from runner.data.tables import SLICE, at, mapped, taken, write
from runner.parts.cleaners._twins import Twin, across

if TYPE_CHECKING:
    import pyarrow as pa

SIMILAR = 0.8  # Jaccard of character 5-grams
LATER = {"validation": ("test",), "train": ("test", "validation")}


def leaks(entry: Path, splits: Sequence[str], inputs: Sequence[str], mode: str, gone: Ledger) -> list[Tally]:
    """Look for rows that leak, take them out of the tables in `entry` if `mode` is drop, and say which they are."""
    return [
        between(entry, split, other, inputs, mode, gone)
        for split, others in LATER.items()
        for other in others
        if split in splits and other in splits
    ]


def between(entry: Path, split: str, other: str, inputs: Sequence[str], mode: str, gone: Ledger) -> Tally:
    """Look for the rows of `split` that stand in `other` too, and add them to `gone`."""
    began = time.perf_counter()
    mine, theirs = (mapped(entry / f"{name}.arrow") for name in (split, other))
    tally = Tally("split", "leakage", split, mine.num_rows)
    kept = np.ones(mine.num_rows, bool)
    found = across(theirs, mine, inputs, entry, threshold=SIMILAR).each()
    while twins := list(islice(found, SLICE)):
        rows = list(leaked(mine, theirs, twins, split, other, inputs, flagged=mode == "warn"))
        for row in rows:
            tally.gone(row)
        gone.append(batch_of(rows))
        kept[[each.position for each in twins]] = False
    if mode == "drop" and not kept.all():
        beside = entry / f".{split}.arrow"
        write(beside, taken(mine, np.flatnonzero(kept)))
        beside.replace(entry / f"{split}.arrow")
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
