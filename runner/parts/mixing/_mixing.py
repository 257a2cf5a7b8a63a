"""What every strategy of mixing is: a share of an epoch for each data set, in batches of one or of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from runner.kinds import Part


class Mixing(Part):
    """The field that all strategies share, and what a kind must do."""

    later: ClassVar[tuple[str, ...]] = ("batches",)
    # Whether data sets take turns in the order written; else their order is drawn.
    ordered: ClassVar[bool] = False

    strategy: str
    """The strategy."""
    batches: Literal["separate", "mixed"] = "separate"
    """`separate` batches hold rows of one data set, `mixed` ones of all, in their shares. Default separate."""

    def counted(self, rows: int) -> int:
        """How many of a data set's rows count for its share."""
        return rows

    def shares(self, batches: Mapping[str, int]) -> dict[str, float]:
        """Share of an epoch for each data set, from how many batches (or rows, if mixed) count; they sum to 1."""
        raise NotImplementedError
