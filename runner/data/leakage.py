"""Leakage: rows of an earlier split that stand, exactly or nearly, in a later one too.

A later split never changes: validation loses what is in test, train what is in test or in validation. Without this a
score says how well texts were remembered.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.data.account import Gone, Tally, text_of
from runner.data.tables import mapped, taken, write
from runner.parts.cleaners._twins import across

if TYPE_CHECKING:
    import pyarrow as pa

SIMILAR = 0.8  # Jaccard of character 5-grams
LATER = {"validation": ("test",), "train": ("test", "validation")}


def leaks(entry: Path, splits: Sequence[str], inputs: Sequence[str], mode: str) -> tuple[list[Tally], list[Gone]]:
    """Look for rows that leak, take them out of the tables in `entry` if `mode` is drop, and say which they are."""
    tallies, gone = [], []
    for split, others in LATER.items():
        for other in others:
            if split in splits and other in splits:
                tally, found = between(entry, split, other, inputs, mode)
                tallies.append(tally)
                gone += found
    return tallies, gone


def between(entry: Path, split: str, other: str, inputs: Sequence[str], mode: str) -> tuple[Tally, list[Gone]]:
    """The rows of `split` that stand in `other` too."""
    began = time.perf_counter()
    mine, theirs = (mapped(entry / f"{name}.arrow") for name in (split, other))
    tally = Tally("split", "leakage", split, mine.num_rows)
    found = sorted(across(theirs, mine, inputs, entry, threshold=SIMILAR))
    gone = [leaked(mine, theirs, each, split, other, inputs, flagged=mode == "warn") for each in found]
    for each in gone:
        tally.gone(each)
    if found and mode == "drop":
        kept = np.ones(mine.num_rows, bool)
        kept[[each.position for each in found]] = False
        beside = entry / f".{split}.arrow"
        write(beside, taken(mine, np.flatnonzero(kept)))
        beside.replace(entry / f"{split}.arrow")
    tally.seconds = time.perf_counter() - began
    return tally, gone


def leaked(
    mine: pa.Table, theirs: pa.Table, found: Any, split: str, other: str, inputs: Sequence[str], *, flagged: bool
) -> Gone:
    """A row that leaks, with its twin in the later split."""
    row = mine.select(["id", "line", *inputs]).slice(found.position, 1).to_pylist()[0]
    reason = f"{'also' if found.exact else 'nearly the same'} in {other}"
    twin = theirs["id"][found.twin].as_py()
    return Gone(split, row["id"], row["line"], "leakage", reason, twin, flagged, text_of(row, inputs))
