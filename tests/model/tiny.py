"""Tiny networks, streams and experiments for the tests of `runner.model` and `runner.train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from runner.model.batch import Batch
from runner.model.batch import build as build_batch
from runner.model.dropout import Dropout
from runner.model.network import Network
from runner.model.network import build as build_network
from runner.model.stream import Stream
from runner.plan.base import Base
from runner.spec.tables import Experiment

LABELS = {"mood": ("bad", "good"), "size": ("long", "mid", "short")}
VOCABULARY = 33


def experiment(
    labels: Mapping[str, Sequence[str]] = LABELS, *, model: dict[str, Any] | None = None, **train: Any
) -> Experiment:
    """An experiment over the data set `films` with one task for each entry of `labels`."""
    return Experiment.model_validate(
        {
            "name": "tiny",
            "model": {"base": "./encoder", "dropout": 0.0, **(model or {})},
            "data": {"films": {"train": "train.csv"}},
            "tasks": {name: {"type": "classification", "data": ["films"], "target": name} for name in labels},
            "train": {"precision": "fp32", **train},
            "execute": {"accelerator": "cpu"},
        }
    )


def network(
    folder: Path,
    labels: Mapping[str, Sequence[str]] = LABELS,
    *,
    seed: int = 1,
    packing: bool = True,
    used: np.ndarray | None = None,
    **model: Any,
) -> Network:
    """The network of `experiment` over the encoder in a folder."""
    spec = experiment(labels, model=model)
    base = Base("./encoder", folder)
    return build_network(base, spec.model, spec.tasks, labels, seed=seed, packing=packing, used=used)


def without_dropout(net: Network) -> Network:
    """The same network in training mode, where it drops nothing."""
    for module in net.train().modules():
        if isinstance(module, Dropout):
            module.p = 0.0
    return net


def sequences(lengths: Sequence[int], seed: int = 0) -> list[np.ndarray]:
    """Random token ids of these lengths."""
    rng = np.random.default_rng(seed)
    return [rng.integers(5, VOCABULARY, length) for length in lengths]


def batch(lengths: Sequence[int], *, packed: bool, seed: int = 0) -> Batch:
    """Random texts without targets."""
    return build_batch("s", range(len(lengths)), sequences(lengths, seed), list(lengths), {}, packed=packed, pad_id=0)


def stream(lengths: Sequence[int], *, name: str = "films:text", seed: int = 0) -> Stream:
    """Random texts with a target for each task of `LABELS`."""
    rng = np.random.default_rng(seed)
    targets = {task: rng.integers(0, len(labels), len(lengths)) for task, labels in LABELS.items()}
    return Stream(
        name,
        column([f"{name}/{row}" for row in range(len(lengths))]),
        np.concatenate(sequences(lengths, seed)),
        np.cumsum([0, *lengths]),
        np.asarray(lengths),
        targets,
        values={task: column([LABELS[task][code] for code in each]) for task, each in targets.items()},
    )


def column(texts: Sequence[str]) -> pa.ChunkedArray:
    """A column of texts."""
    return pa.chunked_array([list(texts)], pa.string())


def weights_of(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of all parameters."""
    return {name: parameter.detach().clone() for name, parameter in net.named_parameters()}


def same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> bool:
    """Whether two sets of tensors have equal names and equal bits."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
