"""Outputs of the network -> Answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from runner.answers.answers import Answers
from runner.model.batch import Batch
from runner.model.stream import Stream
from runner.parts.tasks._task import Place

Piece = tuple[str, Sequence[int], Sequence[Any]]


def answers(
    outputs: Iterable[tuple[Batch, Mapping[str, torch.Tensor]]],
    streams: Mapping[str, Stream],
    tasks: Mapping[str, Any],
    labels: Mapping[str, Sequence[str]],
    split: str,
) -> list[Answers]:
    """The answers of each task, rows in the order of their streams whatever the order of the batches."""
    found: dict[str, list[Piece]] = {}
    for batch, logits in outputs:
        for task, values in logits.items():
            said = tasks[task].answer(values, batch.targets[task], batch.lengths, batch.spans)
            found.setdefault(task, []).append((batch.stream, batch.rows, said))
    return [of_task(task, pieces, streams, tasks[task], tuple(labels[task]), split) for task, pieces in found.items()]


def of_task(
    task: str, pieces: list[Piece], streams: Mapping[str, Stream], part: Any, labels: tuple[str, ...], split: str
) -> Answers:
    """The answers of one task."""
    ids: list[str] = []
    values: list[str] = []
    said: list[Any] = []
    for name in [name for name in streams if any(stream == name for stream, _, _ in pieces)]:
        rows = np.concatenate([part for stream, part, _ in pieces if stream == name])
        here = [each for stream, _, part in pieces if stream == name for each in part]
        order = np.argsort(rows, kind="stable")
        rows, here = rows[order], [here[index] for index in order.tolist()]
        if streams[name].rows is not None:
            rows, here = merged(rows, here, streams[name].rows, part)
        ids += streams[name].ids.take(rows).to_pylist()
        values += streams[name].values[task].take(rows).to_pylist()
        said += here
    found: Answers = part.gathered(Place(task, split, labels, tuple(ids)), values, said)
    return found


def merged(sequences: np.ndarray, said: list[Any], rows: Any, part: Any) -> tuple[np.ndarray, list[Any]]:
    """The first sequence of each row, and what its sequences say together."""
    starts = np.flatnonzero(np.diff(rows[sequences], prepend=-1))
    ends = [*starts[1:].tolist(), len(said)]
    return sequences[starts], [part.merged(said[start:end]) for start, end in zip(starts.tolist(), ends, strict=True)]
