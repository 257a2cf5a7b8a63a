"""Stream: the encoded rows of one data set under one choice of input columns, with the targets of its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from runner.model.batch import Batch, build


@dataclass(frozen=True, eq=False)
class Stream:
    """Tokens lie memory-mapped in Arrow; `targets[task]` are what `Task.targets` made.

    They have a row an example, or one a token for the tasks in `by_token`. `values[task]` is the column as the data
    have it, row by row. `spans` [tokens, 2] are characters. Where long texts make several sequences, `rows` are those
    they are of.
    """

    name: str
    ids: pa.ChunkedArray
    tokens: np.ndarray
    offsets: np.ndarray
    pairs: np.ndarray
    targets: Mapping[str, np.ndarray]
    by_token: frozenset[str] = frozenset()
    values: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)
    spans: np.ndarray | None = None
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self.targets)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, as cut to the maximum length."""
        return np.diff(self.offsets)

    def of(self, task: str, rows: Sequence[int]) -> np.ndarray:
        """The targets of these rows, one after the other."""
        target = self.targets[task]
        return self.cut(target, rows) if task in self.by_token else np.asarray(target[np.asarray(rows)])

    def cut(self, values: np.ndarray, rows: Sequence[int]) -> np.ndarray:
        """Of values a token, those of these rows."""
        return np.concatenate([values[self.offsets[row] : self.offsets[row + 1]] for row in rows])

    @cached_property
    def judged(self) -> dict[str, np.ndarray]:
        """How many tokens of each row are judged, by each task that looks at tokens."""
        ends = {task: np.append(0, np.cumsum(self.targets[task] >= 0)) for task in self.by_token}
        return {task: np.diff(each[self.offsets]) for task, each in ends.items()}

    def units(self, task: str, rows: Sequence[int]) -> int:
        """How many losses these rows give."""
        return int(self.judged[task][np.asarray(rows)].sum()) if task in self.by_token else len(rows)

    def batch(
        self, rows: Sequence[int], *, packed: bool, pad_id: int, shares: Mapping[str, float] | None = None
    ) -> Batch:
        """These rows as one batch."""
        return build(
            self.name,
            rows,
            [self.tokens[self.offsets[row] : self.offsets[row + 1]] for row in rows],
            self.pairs[np.asarray(rows)],
            {task: self.of(task, rows) for task in self.targets},
            packed=packed,
            pad_id=pad_id,
            shares=shares,
            spans=None if self.spans is None else self.cut(self.spans, rows),
        )

    def by_length(self, batch_size: int) -> list[list[int]]:
        """All rows in batches of similar length, shortest first: the order of evaluation."""
        order = np.argsort(self.lengths, kind="stable")
        return [order[start : start + batch_size].tolist() for start in range(0, len(order), batch_size)]


def together(
    pieces: Sequence[tuple[Stream, Sequence[int]]], *, packed: bool, pad_id: int, shares: Mapping[str, float]
) -> Batch:
    """Rows of several streams as one batch; each task has the targets, and sees the vectors, of its own rows."""
    tasks = dict.fromkeys(task for each, _ in pieces for task in each.tasks)
    return build(
        " + ".join(each.name for each, _ in pieces),
        [row for _, rows in pieces for row in rows],
        [each.tokens[each.offsets[row] : each.offsets[row + 1]] for each, rows in pieces for row in rows],
        [pair for each, rows in pieces for pair in each.pairs[np.asarray(rows)]],
        {task: np.concatenate([each.of(task, rows) for each, rows in pieces if task in each.tasks]) for task in tasks},
        packed=packed,
        pad_id=pad_id,
        shares=shares,
        places={task: places(task, pieces, any(task in each.by_token for each, _ in pieces)) for task in tasks},
        owned={task: places(task, pieces, by_token=False) for task in tasks},
    )


def places(task: str, pieces: Sequence[tuple[Stream, Sequence[int]]], by_token: bool) -> np.ndarray:
    """Indices of a task's examples, or of their tokens, among those of all pieces."""
    found, start = [], 0
    for each, rows in pieces:
        size = int(each.lengths[np.asarray(rows)].sum()) if by_token else len(rows)
        if task in each.tasks:
            found.append(np.arange(start, start + size))
        start += size
    return np.concatenate(found)


def stream(name: str, encoded: pa.Table, targets: Mapping[str, np.ndarray], **more: Any) -> Stream:
    """A stream over the table that `data.encode` made; without a copy where the table has one chunk."""
    offsets, tokens = flat(encoded["input_ids"])
    return Stream(name, encoded["id"], tokens, offsets, encoded["pair"].to_numpy(), targets, **more)


def flat(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and values of a column of lists."""
    lists = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return lists.offsets.to_numpy().astype(np.int64), lists.values.to_numpy()
