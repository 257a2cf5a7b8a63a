"""Rows with the same labels in the order of their ids, as numbers in arrays: twelve bytes a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.data.identify import contents

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


def grouped(table: pa.Table, targets: Sequence[str], by_id: np.ndarray, folder: Path) -> None:
    """Write all rows by their labels and then by their ids; `by_id` are the rows in the order of their ids."""
    labels = contents(table, targets)[by_id]
    within = np.argsort(labels, kind="stable")
    order = by_id[within].astype(np.int32)
    ordered = labels[within]
    bounds = np.r_[0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(ordered)].astype(np.int32)
    place = np.empty(len(by_id), np.int32)
    place[order] = np.arange(len(by_id), dtype=np.int32)
    for name, each in {"order": order, "bounds": bounds, "place": place}.items():
        (folder / name).write_bytes(each.data)


class Classes:
    """The rows with the same labels as another, in files that several processes read."""

    def __init__(self, folder: Path) -> None:
        files = (np.memmap(folder / name, np.int32, "r") for name in ("order", "bounds", "place"))
        self.order, self.bounds, self.place = map(np.asarray, files)

    def of(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        """For each of these rows the rows with the same labels, itself included, and its own place among them."""
        places = self.place[rows]
        group = np.searchsorted(self.bounds, places, "right")
        begins, ends = self.bounds[group - 1], self.bounds[group]
        for place, begin, end in zip(places.tolist(), begins.tolist(), ends.tolist(), strict=True):
            yield self.order[begin:end], place - begin
