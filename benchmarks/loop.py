"""Our loop against a plain PyTorch loop: the same network of two layers, batches, optimizer and precision.

The network has the shape of BERT-tiny (2 layers, 128 wide; Turc and others 2019, arXiv:1908.08962) with random weights.
Ours is the whole fit by Lightning: curves, a validation and a saved state included.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from _pairs import emit, interleaved, parser, positive, ratios
from transformers import BertConfig, BertModel

from runner.model.dropout import Source, seed_step
from runner.model.network import Network
from runner.model.packing import NAME, register
from runner.model.stream import Stream
from runner.parts.mixing.proportional import Proportional
from runner.parts.tasks.classification import Classification
from runner.spec.tables import Experiment
from runner.train.fit import fit, quiet
from runner.train.optimizer import adamw, factor
from runner.train.order import draws

GOAL = 1.10
LABELS = ("a", "b", "c", "d")


def experiment(batch_size: int) -> Experiment:
    """One task, one epoch."""
    return Experiment.model_validate(
        {
            "name": "loop",
            "model": {"base": "./none", "max_length": 64},
            "data": {"rows": {"train": "none.csv"}},
            "tasks": {"label": {"type": "classification", "data": ["rows"], "metrics": ["accuracy"]}},
            "train": {"epochs": 1, "batch_size": batch_size, "learning_rate": 1e-4, "precision": "fp32"},
        }
    )


def rows(count: int) -> Stream:
    """Random tokens, 5 to 60 a row."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 61, count)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = pa.chunked_array([pa.array([str(index) for index in range(count)])])
    tokens = rng.integers(5, 30_522, offsets[-1]).astype(np.int32)
    return Stream("rows", ids, tokens, offsets, lengths, {"label": rng.integers(0, len(LABELS), count)})


def network(spec: Experiment) -> Network:
    """A fresh network, packed."""
    register()
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=512,
        attn_implementation=NAME,
    )
    heads = torch.nn.ModuleDict({"label": torch.nn.Linear(128, len(LABELS))})
    return Network(BertModel(config, add_pooling_layer=False), heads, spec.model, Source(), True)


def by_lightning(spec: Experiment, stream: Stream, small: Stream) -> float:
    """Seconds of our fit."""
    net = network(spec)
    streams = {"train": {"rows": stream}, "validation": {"rows": small}, "test": {}}
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        fit(
            net,
            spec,
            streams,
            {"label": LABELS},
            {"label": None},
            Proportional(),
            seed=13,
            pad_id=0,
            folder=Path(folder),
            record=lambda *_, **__: None,
            stop=threading.Event(),
            show=False,
        )
        return time.perf_counter() - began


def plainly(spec: Experiment, stream: Stream) -> float:
    """Seconds of the loop that one writes by hand."""
    net, train = network(spec), spec.train
    task: Any = spec.tasks["label"]
    assert isinstance(task, Classification)
    began = time.perf_counter()
    order = draws({"rows": stream}, Proportional(), 13, 0, batch_size=train.batch_size, accumulate=1, grouped=True)
    optimizer = adamw(net, train)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(train, step, len(order)))
    net.train()
    for index, draw in enumerate(order):
        batch = stream.batch(draw.rows, packed=True, pad_id=0)
        seed_step(net.source, 13, 0, index)
        loss = task.loss(net.outputs(batch, ("label",))["label"]).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), train.clip_norm)
        optimizer.step()
        schedule.step()
    return time.perf_counter() - began


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--pairs", type=positive, default=5, help="pairs of fits")
    options.add_argument("--rows", type=positive, default=6400, help="training rows")
    options.add_argument("--batch-size", type=positive, default=32, help="examples of a batch")
    given = options.parse_args()
    quiet()
    spec, stream, small = experiment(given.batch_size), rows(given.rows), rows(32)
    sides = SimpleNamespace(ours=lambda _: by_lightning(spec, stream, small), plain=lambda _: plainly(spec, stream))
    sides.plain(0), sides.ours(0)
    pairs = interleaved(given.pairs, sides.ours, sides.plain)
    steps = -(-given.rows // given.batch_size)
    emit(
        {
            "steps": steps,
            "our_milliseconds_a_step": [1000 * ours / steps for ours, _ in pairs],
            "plain_milliseconds_a_step": [1000 * plain / steps for _, plain in pairs],
            **ratios(pairs),
            "goal": GOAL,
        },
        given.json,
    )


if __name__ == "__main__":
    main()
