"""Outputs of the network -> Answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from runner.model.batch import Batch
from runner.model.stream import Stream
from runner.parts.answers import Answers


def answers(
    outputs: Iterable[tuple[Batch, Mapping[str, torch.Tensor]]],
    streams: Mapping[str, Stream],
    tasks: Mapping[str, Any],
    labels: Mapping[str, Sequence[str]],
    split: str,
) -> list[Answers]:
    """The answers of each task, rows in the order of their streams whatever the order of the batches."""
    found: dict[str, list[tuple[str, np.ndarray, np.ndarray]]] = {}
    for batch, logits in outputs:
        for task, values in logits.items():
            found.setdefault(task, []).append((batch.stream, np.asarray(batch.rows), tasks[task].answer(values)))
    return [of_task(task, pieces, streams, tuple(labels[task]), split) for task, pieces in found.items()]


def of_task(
    task: str,
    pieces: list[tuple[str, np.ndarray, np.ndarray]],
    streams: Mapping[str, Stream],
    labels: tuple[str, ...],
    split: str,
) -> Answers:
    ids: list[str] = []
    gold, probabilities = [], []
    for name in [name for name in streams if any(stream == name for stream, _, _ in pieces)]:
        rows = np.concatenate([part for stream, part, _ in pieces if stream == name])
        values = np.concatenate([part for stream, _, part in pieces if stream == name])
        order = np.argsort(rows, kind="stable")
        ids += streams[name].ids.take(rows[order]).to_pylist()
        gold.append(streams[name].targets[task][rows[order]])
        probabilities.append(values[order])
    stacked = np.concatenate(probabilities)
    return Answers(task, split, labels, tuple(ids), np.concatenate(gold), stacked.argmax(-1), stacked)
