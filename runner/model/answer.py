"""Outputs of the network -> Answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from runner.answers.answers import Answers
from runner.model.batch import Batch
from runner.model.stream import Stream
from runner.parts.tasks._output import Output
from runner.parts.tasks._task import Place


class Piece(NamedTuple):
    """What a head said of each sequence of a batch: these rows of a stream."""

    task: str
    stream: str
    rows: Sequence[int]
    said: Sequence[Any]


def said(batch: Batch, outputs: Mapping[str, Output], tasks: Mapping[str, Any]) -> list[Piece]:
    """What each head says of a batch, without its logits, which may be large."""
    return [Piece(task, batch.stream, batch.rows, tasks[task].answer(each)) for task, each in outputs.items()]


def answers(
    pieces: Iterable[Piece],
    streams: Mapping[str, Stream],
    tasks: Mapping[str, Any],
    labels: Mapping[str, Sequence[str]],
    split: str,
) -> list[Answers]:
    """The answers of each task, rows in the order of their streams whatever the order of the batches."""
    found: dict[str, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.task, []).append(piece)
    return [of_task(task, own, streams, tasks[task], tuple(labels[task]), split) for task, own in found.items()]


def of_task(
    task: str, pieces: list[Piece], streams: Mapping[str, Stream], part: Any, labels: tuple[str, ...], split: str
) -> Answers:
    """The answers of one task."""
    ids: list[str] = []
    values: list[str] = []
    said: list[Any] = []
    for name, stream in streams.items():
        here = [piece for piece in pieces if piece.stream == name]
        if not here:
            continue
        sequences = np.concatenate([piece.rows for piece in here])
        told = [each for piece in here for each in piece.said]
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
