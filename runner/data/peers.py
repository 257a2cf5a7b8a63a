"""Rows with the same labels in the order of their ids, as numbers in arrays: twelve bytes a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.data.identify import classes
from runner.parts.cleaners._entries import entries_of, rows_of, spans

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


class Classes:
    """All rows of a table by their labels and then by their ids; `by_id` are its rows in the order of their ids."""

    def __init__(self, table: pa.Table, targets: Sequence[str], by_id: np.ndarray) -> None:
        labels = classes(table, targets)
        self.bounds = np.append(0, np.cumsum(np.bincount(labels)))
        entries = entries_of(labels[by_id])
        self.order, self.place = np.empty((2, len(by_id)), np.int32)
        for here in spans(len(by_id)):
            self.order[here] = by_id[rows_of(entries[here])]
            self.place[self.order[here]] = np.arange(here.start, here.stop)

    def of(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        """For each of these rows the rows with the same labels, itself included, and its own place among them."""
        places = self.place[rows]
        group = np.searchsorted(self.bounds, places, "right")
        begins, ends = self.bounds[group - 1], self.bounds[group]
        for place, begin, end in zip(places.tolist(), begins.tolist(), ends.tolist(), strict=True):
            yield self.order[begin:end], place - begin
