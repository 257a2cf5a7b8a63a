"""Stream: the encoded rows of one data set under one choice of input columns, with the targets of its tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from runner.model.batch import Batch, build

Words = tuple[int, ...]
EVALUATION: Words = (0,)  # what is hidden from a model that is judged: the same each time
Hide = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Known:
    """Vectors of every sequence, or of every token, [all, hidden]: fp32, or bf16 as the bits of uint16."""

    values: np.ndarray
    by_text: bool


def widened(values: np.ndarray) -> np.ndarray:
    """The same numbers in fp32, in memory."""
    if values.dtype == np.uint16:
        return (values.astype(np.uint32) << 16).view(np.float32)
    return np.array(values)


@dataclass(frozen=True, eq=False)
class Stream:
    """Tokens lie memory-mapped in Arrow; sequence i has those from `bounds[i]` to `bounds[i + 1]`.

    An example is `parts` sequences that stay together. `targets[task]` are what `Task.targets` made: a row an example,
    or one a token for the tasks in `by_token`, whose losses are by token too but for those in `by_row`. `values[task]`
    is the column as the data have it, row by row. `spans` [tokens, 2] are characters. Where long texts make several
    examples, `rows` are those they are of. `hides[task]` hides tokens of an example that are to be guessed. `known` is
    what the frozen part of the trunk says of all of them, where that was computed before.
    """

    name: str
    ids: pa.ChunkedArray
    tokens: np.ndarray
    bounds: np.ndarray
    pairs: np.ndarray
    targets: Mapping[str, np.ndarray]
    by_token: frozenset[str] = frozenset()
    values: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)
    spans: np.ndarray | None = None
    rows: np.ndarray | None = None
    parts: int = 1
    by_row: frozenset[str] = frozenset()
    hides: Mapping[str, Hide] = field(default_factory=dict)
    known: Known | None = None

    def __len__(self) -> int:
        return len(self.pairs) // self.parts

    @cached_property
    def offsets(self) -> np.ndarray:
        """Where the tokens of each example begin, and where the last ends."""
        return self.bounds[:: self.parts]

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self.targets)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each example, as cut to the maximum length."""
        return np.diff(self.offsets)

    def sequences(self, rows: Sequence[int]) -> np.ndarray:
        """Places of the sequences of these examples."""
        return (np.asarray(rows)[:, None] * self.parts + np.arange(self.parts)).ravel()

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

    def units(self, task: str, rows: Sequence[int], words: Words = ()) -> int:
        """How many losses these rows give, with what is hidden of them by the random words."""
        if task in self.hides:
            return sum(int((self.hidden(task, row, words)[1] >= 0).sum()) for row in rows)
        by_token = task in self.by_token and task not in self.by_row
        return int(self.judged[task][np.asarray(rows)].sum()) if by_token else len(rows)

    def hidden(self, task: str, row: int, words: Words) -> tuple[np.ndarray, np.ndarray]:
        """Ids and targets of an example, some of whose tokens are hidden: a pure function of the words and the row."""
        here = slice(self.offsets[row], self.offsets[row + 1])
        return self.hides[task](self.tokens[here], self.targets[task][here], np.random.default_rng([*words, row]))

    def read(self, rows: Sequence[int], words: Words) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """The sequences of these examples, and their targets by task."""
        sequences = [self.tokens[self.bounds[at] : self.bounds[at + 1]] for at in self.sequences(rows)]
        targets = {task: self.of(task, rows) for task in self.targets}
        for task in self.hides:
            found = [self.hidden(task, row, words) for row in rows]
            sequences, targets[task] = [ids for ids, _ in found], np.concatenate([target for _, target in found])
        return sequences, targets

    def batch(
        self,
        rows: Sequence[int],
        *,
        packed: bool,
        pad_id: int,
        shares: Mapping[str, float] | None = None,
        words: Words = (),
    ) -> Batch:
        """These rows as one batch; the words decide what is hidden of them."""
        sequences, targets = self.read(rows, words)
        return build(
            self.name,
            rows,
            sequences,
            self.pairs[self.sequences(rows)],
            targets,
            packed=packed,
            pad_id=pad_id,
            shares=shares,
            spans=None if self.spans is None else self.cut(self.spans, rows),
            vectors=self.vectors(rows),
        )

    def vectors(self, rows: Sequence[int]) -> np.ndarray | None:
        """What is known of these rows, in fp32."""
        if self.known is None:
            return None
        by_text = self.known.by_text
        found = self.known.values[self.sequences(rows)] if by_text else self.cut(self.known.values, rows)
        return widened(found)

    def by_length(self, batch_size: int) -> list[list[int]]:
        """All rows in batches of similar length, shortest first: the order of evaluation."""
        order = np.argsort(self.lengths, kind="stable")
        return [order[start : start + batch_size].tolist() for start in range(0, len(order), batch_size)]


def together(
    pieces: Sequence[tuple[Stream, Sequence[int]]],
    *,
    packed: bool,
    pad_id: int,
    shares: Mapping[str, float],
    words: Words = (),
) -> Batch:
    """Rows of several streams as one batch; each task has the targets, and sees the vectors, of its own rows."""
    tasks = dict.fromkeys(task for each, _ in pieces for task in each.tasks)
    found = [each.read(rows, words) for each, rows in pieces]
    return build(
        " + ".join(each.name for each, _ in pieces),
        [row for _, rows in pieces for row in rows],
        [sequence for sequences, _ in found for sequence in sequences],
        [pair for each, rows in pieces for pair in each.pairs[each.sequences(rows)]],
        {task: np.concatenate([targets[task] for _, targets in found if task in targets]) for task in tasks},
        packed=packed,
        pad_id=pad_id,
        shares=shares,
        places={task: places(task, pieces, any(task in each.by_token for each, _ in pieces)) for task in tasks},
        owned={task: places(task, pieces, by_token=False) for task in tasks},
        vectors=joined([each.vectors(rows) for each, rows in pieces]),
    )


def joined(known: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """The vectors of all pieces, where they are known of all."""
    found = [each for each in known if each is not None]
    return np.concatenate(found) if found and len(found) == len(known) else None


def places(task: str, pieces: Sequence[tuple[Stream, Sequence[int]]], by_token: bool) -> np.ndarray:
    """Indices of a task's examples, or of their tokens, among those of all pieces."""
    found, start = [], 0
    for each, rows in pieces:
        size = int(each.lengths[np.asarray(rows)].sum()) if by_token else len(rows) * each.parts
        if task in each.tasks:
            found.append(np.arange(start, start + size))
        start += size
    return np.concatenate(found)


def stream(name: str, encoded: pa.Table, targets: Mapping[str, np.ndarray], **more: Any) -> Stream:
    """A stream over the table that `data.encode` made; without a copy where the table has one chunk."""
    bounds, tokens = flat(encoded["input_ids"])
    parts = more.get("parts", 1)
    ids = encoded["id"] if parts == 1 else encoded["id"].take(np.arange(0, encoded.num_rows, parts))
    return Stream(name, ids, tokens, bounds, encoded["pair"].to_numpy(), targets, **more)


def flat(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and values of a column of lists."""
    lists = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return lists.offsets.to_numpy().astype(np.int64), lists.values.to_numpy()
