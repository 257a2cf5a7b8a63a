"""Near duplicates: rows whose texts are nearly those of a row that stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.cleaners._cleaner import Judged, SetCleaner
from runner.parts.cleaners._contents import repeated
from runner.parts.cleaners._twins import repeats

if TYPE_CHECKING:
    import pyarrow as pa


class NearDuplicates(SetCleaner):
    """Drop rows that share most runs of characters with a row that stays; the first by id stays.

    Rows of several columns go if they are alike in each of them. Only letters and digits count, large or small. Every
    pair that is told is alike; of those that are, 2 in 100 at the threshold get missed, and fewer above it.

    ```toml
    type = "near_duplicates"
    threshold = 0.7
    ```
    """

    kind: ClassVar[str] = "near_duplicates"

    type: Literal["near_duplicates"]
    """The kind of cleaner."""
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Part of the runs of both texts that stand in both, from which they are alike; in each column. Default 0.8."""
    unit: Literal["characters", "words"] = "characters"
    """What a run is made of. Default `characters`."""
    size: Annotated[int, Field(ge=1, le=100)] = 5
    """Characters or words of a run. Default 5."""

    def judge(self, table: pa.Table, inputs: Sequence[str], targets: Sequence[str], scratch: Path) -> Iterator[Judged]:
        found = repeats(table, inputs, scratch, threshold=self.threshold, unit=self.unit, size=self.size)
        return repeated(table, targets, found.positions, found.twins, "near duplicate")
