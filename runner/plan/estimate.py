"""Estimates before any training: parameters, memory by term, tokens, time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.data.encode import Lengths, lengths
from runner.parts.tasks._task import Task
from runner.plan.base import Base, size
from runner.plan.check import Checked
from runner.plan.compile import Plan, work
from runner.plan.depth import depth, rests
from runner.plan.streams import recipe_of
from runner.spec.tables import Model

FP32 = 4  # bytes
PER_TOKEN = (
    34  # saved floats a token, layer and hidden unit in training, attention apart (Korthikanti 2022, 2205.05198)
)


@dataclass(frozen=True)
class Parameters:
    """Counts of weights, heads and adapter included."""

    total: int
    trainable: int


def parameters(checked: Checked) -> Parameters:
    """Exact counts from the weights' headers; equal to those of the built model (a test holds them together)."""
    base = checked.base
    adapter: Any = checked.spec.experiment.model.adapter
    tasks = checked.spec.experiment.tasks
    heads = sum(tasks[name].parameters(base.hidden, labels) for name, labels in checked.labels.items())
    heads += base.hidden if attends(checked.spec.experiment.model, tasks) else 0
    heads += len(tasks) if checked.spec.experiment.train.loss_balance == "uncertainty" else 0
    whole = base.parameters(speaking(tasks))
    if adapter is None:
        return Parameters(whole + heads, trunk_parameters(checked) + heads)
    added = adapter.parameters(linears(base, speaking(tasks)), base.sizes) * (len(tasks) if adapter.per_task else 1)
    return Parameters(whole + added + heads, added + heads)


def speaking(tasks: Mapping[str, Task]) -> str:
    """The kind of language model that the tasks write with; empty where none does."""
    return next((task.speaks for task in tasks.values() if task.speaks), "")


def attends(model: Model, tasks: Mapping[str, Task]) -> bool:
    """Whether there is a query that weighs the tokens of a text: some head looks at texts pooled by attention."""
    return model.pooling == "attention" and any(task.level == "text" for task in tasks.values())


def trunk_parameters(checked: Checked) -> int:
    """Weights of the trunk that are trained in at least one epoch."""
    base, freeze = checked.base, checked.spec.experiment.model.freeze
    return sum(
        size(shape)
        for name, shape in base.weights(speaking(checked.spec.experiment.tasks)).items()
        if "pooler." not in name and not rests(freeze, depth(name, base.layers), base.layers, None)
    )


def linears(base: Base, speaks: str = "") -> dict[str, tuple[int, int]]:
    """What peft may adapt: every linear layer of the trunk, the unused pooler too where there is one."""
    pooler = {} if speaks else {name: shape for name, shape in base.shapes.items() if name == "pooler.dense.weight"}
    return {**base.linears, **{name.removesuffix(".weight"): (s[0], s[1]) for name, s in pooler.items()}}


def tokens(plan: Plan, split: str = "train") -> Mapping[str, Lengths]:
    """Token lengths by stream, on a sample of up to 2,000 rows of the split."""
    checked = plan.checked
    return {
        name: lengths(checked.loaded[data].splits[split], recipe_of(checked, tasks))
        for name, (data, _, tasks) in plan.streams.items()
        if split in checked.loaded[data].splits
    }


def memory(checked: Checked, longest: int) -> dict[str, int]:
    """Bytes by term at the peak of training with a batch of texts that are all as long as the longest."""
    count, base, train = parameters(checked), checked.base, checked.spec.experiment.train
    per_token = PER_TOKEN * base.hidden * base.layers
    heads = int(base.config.get("num_attention_heads", 12))
    attention = 2 * heads * longest * longest * base.layers * train.batch_size
    activations = per_token * longest * train.batch_size + attention * FP32
    if train.gradient_checkpointing:  # what enters each layer, and all of one layer
        activations = activations // base.layers + base.hidden * FP32 * base.layers * longest * train.batch_size
    copies = 0 if train.average is None else (train.average.last or 1) + 1  # the weights themselves wait meanwhile
    return {
        "weights": count.total * FP32 - spared(checked),
        "gradients": count.trainable * FP32 * (1 if train.loss_balance != "pcgrad" else 2 * len(checked.labels) + 2),
        "optimizer": 2 * count.trainable * FP32,
        **({"average": copies * count.trainable * FP32} if copies else {}),
        "activations": activations,
    }


def spared(checked: Checked) -> int:
    """Bytes that the linear layers of a quantised base don't need."""
    bits = checked.spec.experiment.model.quantise
    return 0 if bits is None else sum(map(size, checked.base.linears.values())) * (32 - bits) // 8


def seconds(plan: Plan, lengths: Mapping[str, Lengths], tokens_per_second: float | None) -> float | None:
    """Training time of one trial from the measured throughput of an earlier run; None without one."""
    if not tokens_per_second:
        return None
    checked = plan.checked
    each = sum(checked.loaded[plan.streams[name][0]].rows["train"] * found.mean for name, found in lengths.items())
    full = work(checked)["batches_per_epoch"] * checked.spec.experiment.train.epochs
    share = work(checked)["steps"] * checked.spec.experiment.train.accumulate / max(full, 1)
    return float(each * checked.spec.experiment.train.epochs * min(share, 1.0) / tokens_per_second)
