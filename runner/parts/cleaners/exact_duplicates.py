"""Exact duplicates: rows whose texts are those of a row that stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
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
        with TemporaryDirectory(dir=scratch) as folder:
            firsts, group = distinct(digests(table, inputs, Path(folder, "digests"), seen), by_id(table))
        stays = np.zeros(len(group), bool)
        stays[firsts] = True
        positions = np.flatnonzero(~stays)
        twins = firsts[group[positions]]
        del firsts, group, stays
        yield from repeated(table, targets, positions, twins, "exact duplicate")

    def seen(self, text: str) -> str:
        """What counts of a text."""
        text = text.casefold() if self.ignore_case else text
        return " ".join(text.split()) if self.ignore_space else text
