"""Exact duplicates: rows whose texts are those of a row that stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.parts.cleaners._cleaner import Judged, SetCleaner
from runner.parts.cleaners._contents import digests, distinct, repeated
from runner.parts.cleaners._order import by_id

if TYPE_CHECKING:
    import pyarrow as pa


class ExactDuplicates(SetCleaner):
    """Drop rows with the same text in each input column as another; the first by id stays.

    ```toml
    type = "exact_duplicates"
    ignore_case = true
    ```
    """

    kind: ClassVar[str] = "exact_duplicates"

    type: Literal["exact_duplicates"]
    """The kind of cleaner."""
    ignore_case: bool = False
    """Take large and small letters for the same. Default false."""
    ignore_space: bool = False
    """Take any white space for one space, and none at both ends. Default false."""

    def judge(self, table: pa.Table, inputs: Sequence[str], targets: Sequence[str], scratch: Path) -> Iterator[Judged]:
        import numpy as np

        if not table.num_rows:
            return
        seen = self.seen if self.ignore_case or self.ignore_space else None
        firsts, group = distinct(digests(table, inputs, seen), by_id(table))
        twins = firsts[group]
        positions = np.flatnonzero(twins != np.arange(len(twins)))
        yield from repeated(table, targets, positions, twins[positions], "exact duplicate")

    def seen(self, text: str) -> str:
        """What counts of a text."""
        text = text.casefold() if self.ignore_case else text
        return " ".join(text.split()) if self.ignore_space else text
