"""Stream: the encoded rows of one data set under one choice of input columns, with the targets of its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from runner.model.batch import Batch, build


@dataclass(frozen=True, eq=False)
class Stream:
    """Tokens lie memory-mapped in Arrow; `targets[task]` [rows] holds class indices."""

    name: str
    ids: pa.ChunkedArray
    tokens: np.ndarray
    offsets: np.ndarray
    pairs: np.ndarray
    targets: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self.targets)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, as cut to the maximum length."""
        return np.diff(self.offsets)

    def batch(self, rows: Sequence[int], *, packed: bool, pad_id: int, share: float = 1.0) -> Batch:
        """These rows as one batch."""
        index = np.asarray(rows)
        return build(
            self.name,
            rows,
            [self.tokens[self.offsets[row] : self.offsets[row + 1]] for row in rows],
            self.pairs[index],
            {task: target[index] for task, target in self.targets.items()},
            packed=packed,
            pad_id=pad_id,
            share=share,
        )

    def by_length(self, batch_size: int) -> list[list[int]]:
        """All rows in batches of similar length, shortest first: the order of evaluation."""
        order = np.argsort(self.lengths, kind="stable")
        return [order[start : start + batch_size].tolist() for start in range(0, len(order), batch_size)]


def stream(name: str, encoded: pa.Table, targets: Mapping[str, np.ndarray]) -> Stream:
    """A stream over the table that `data.encode` made; without a copy where the table has one chunk."""
    column = encoded["input_ids"]
    lists = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    offsets = lists.offsets.to_numpy()
    return Stream(
        name, encoded["id"], lists.values.to_numpy(), offsets.astype(np.int64), encoded["pair"].to_numpy(), targets
    )
