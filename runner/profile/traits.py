"""What the profile knows of each row: length, beginning and language, and which rows are nearly the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from runner.data.identify import keys
from runner.data.tables import batches
from runner.parts.cleaners._joined import joined
from runner.parts.cleaners._twins import repeats
from runner.parts.cleaners.language import recogniser
from runner.profile.wording import hashed, prefix

if TYPE_CHECKING:
    import pyarrow as pa

SIMILAR = 0.8  # Jaccard of character 5-grams, as for leakage
ASKED = 50_000  # rows whose language is asked, those of smallest hash
UNSURE = "unsure"


class Languages(NamedTuple):
    """`codes[place[row]]` is the language of a row; the place is -1 for a row that wasn't asked."""

    codes: list[str]
    place: np.ndarray


@dataclass(frozen=True)
class Traits:
    """Arrays by position; `cluster` holds the row that others are nearly the same as, or -1 for a row of its own.

    `languages` is None where the package that recognises them isn't installed.
    """

    table: pa.Table
    inputs: Sequence[str]
    characters: np.ndarray
    words: np.ndarray
    prefixes: np.ndarray
    languages: Languages | None
    cluster: np.ndarray

    def text(self, position: int) -> str:
        """The text of one row: its inputs, joined by line breaks."""
        (found,) = texts(self.table.slice(position, 1), self.inputs)
        return found[0]


def traits(table: pa.Table, inputs: Sequence[str], scratch: Path) -> Traits:
    """Those of all rows; files go to `scratch` meanwhile."""
    characters, words, prefixes = [], [], []
    for part in texts(table, inputs):
        written = [text.split() for text in part]
        characters.append(np.fromiter(map(len, part), np.int32, len(part)))
        words.append(np.fromiter(map(len, written), np.int32, len(part)))
        prefixes.append(np.frombuffer(b"".join(hashed(prefix(each)) for each in written), np.uint64))
    return Traits(
        table,
        inputs,
        np.concatenate(characters),
        np.concatenate(words),
        np.concatenate(prefixes),
        languages(table, inputs),
        clusters(table, inputs, scratch),
    )


def texts(table: pa.Table, inputs: Sequence[str], chosen: np.ndarray | None = None) -> Iterator[list[str]]:
    """The texts of the chosen rows, batch by batch."""
    import pyarrow as pa

    start = 0
    for batch in batches(table.select(list(inputs))):
        here = np.ones(batch.num_rows, bool) if chosen is None else chosen[start : start + batch.num_rows]
        start += batch.num_rows
        if here.any():
            yield joined(batch if here.all() else batch.filter(pa.array(here))).to_pylist()


def languages(table: pa.Table, inputs: Sequence[str]) -> Languages | None:
    """The language of the rows of smallest hash, as the cleaner `language` sees it."""
    try:
        recognise = recogniser()
    except ModuleNotFoundError:
        return None
    asked = np.ones(table.num_rows, bool)
    if table.num_rows > ASKED:
        hashed = keys(table["id"], b"profile:")
        asked = hashed <= np.partition(hashed, ASKED - 1)[ASKED - 1]
    codes: dict[str, int] = {}
    found = [
        codes.setdefault(recognise(text) or UNSURE, len(codes)) for part in texts(table, inputs, asked) for text in part
    ]
    place = np.full(table.num_rows, -1, np.int16)
    place[asked] = found
    return Languages(list(codes), place)


def clusters(table: pa.Table, inputs: Sequence[str], scratch: Path) -> np.ndarray:
    """For each row the one that it and others are nearly the same as: the first of them by id."""
    found = np.full(table.num_rows, -1, np.int32)
    alike = repeats(table, inputs, scratch, threshold=SIMILAR)
    found[alike.positions] = found[alike.twins] = alike.twins
    return found
