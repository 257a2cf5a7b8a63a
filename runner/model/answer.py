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
    for name, stream in streams.items():
        here = [piece for piece in pieces if piece[0] == name]
        if not here:
            continue
        sequences = np.concatenate([rows for _, rows, _ in here])
        told = [each for _, _, several in here for each in several]
        order = np.argsort(sequences, kind="stable")
        sequences, told = sequences[order], [told[index] for index in order.tolist()]
        rows = sequences
        if stream.rows is not None:
            sequences, told = merged(sequences, told, stream.rows, part)
            rows = stream.rows[sequences]
        ids += stream.ids.take(sequences).to_pylist()
        values += stream.values[task].take(rows).to_pylist()
        said += told
    found: Answers = part.gathered(Place(task, split, labels, tuple(ids)), values, said)
    return found


def merged(sequences: np.ndarray, said: list[Any], rows: Any, part: Any) -> tuple[np.ndarray, list[Any]]:
    """The first sequence of each row, and what its sequences say together."""
    starts = np.flatnonzero(np.diff(rows[sequences], prepend=-1))
    ends = [*starts[1:].tolist(), len(said)]
    return sequences[starts], [part.merged(said[start:end]) for start, end in zip(starts.tolist(), ends, strict=True)]
