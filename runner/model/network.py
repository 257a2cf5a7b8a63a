"""Network: a shared trunk and one head per task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from runner.model import replies
from runner.model.adapters import adapt, use
from runner.model.batch import Batch
from runner.model.dropout import Dropout, Source, replace, seed_step
from runner.model.frozen import asleep, skipped
from runner.model.language import CLASSES, head_of
from runner.model.pooling import pool
from runner.model.reference import Reference, spoken
from runner.model.trunk import choose_trunk, tokens_of
from runner.model.vocabulary import narrow
from runner.parts.tasks._output import Output
from runner.parts.tasks._task import Task
from runner.plan.base import Base
from runner.plan.depth import depth, rests
from runner.plan.estimate import attends, speaking
from runner.spec.tables import Fresh, Model


class Network(nn.Module):
    """Token vectors from the trunk, pooled to one vector a text for heads that look at texts, then a head a task."""

    def __init__(
        self,
        trunk: nn.Module,
        heads: nn.ModuleDict,
        model: Model,
        source: Source,
        packed: bool,
        levels: Mapping[str, str] | None = None,
        layers: int = 0,
        query: nn.Parameter | None = None,
        reference: Reference | None = None,
    ) -> None:
        super().__init__()
        self.turned = ""
        self.seat: Any = None  # where other networks use the same base in the same pass; see `joint.Seat`
        self.apart = bool(getattr(model.adapter, "per_task", False))
        self.levels = levels or {}
        self.reference = reference
        self.trunk = trunk
        self.heads = heads
        self.pooling, self.query = model.pooling, query
        self.packed = packed
        self.probed: bool | None = None  # whether the base can compute packed, where that was found out here
        self.source = source
        self.dropout = Dropout(model.dropout, source)
        replace(self.trunk, source)
        self.freeze, self.layers = model.freeze, layers
        self.thawing = frozenset(
            f"trunk.{name}"
            for name, parameter in trunk.named_parameters()
            if parameter.requires_grad and rests(self.freeze, self.depth(name), layers, 1)
        )
        self.known, self.cut = "", 0  # what the batches bring along: vectors of texts, of tokens, or of a layer
        rest = self.freeze is not None and model.adapter is None and not self.thawing and reference is None
        self.asleep = asleep(trunk) if rest else []
        self.begin(1)

    def forward(
        self, batch: Batch, tasks: Sequence[str], mix: Callable[[torch.Tensor], torch.Tensor] | None = None
    ) -> dict[str, torch.Tensor]:
        """Logits of each task, [examples, width] or of those that look at tokens [tokens, width].

        Of language models it is what `language.surprises` tells of the tokens that count. `mix` changes the vectors
        [examples, hidden] of the texts. Tasks with an adapter of their own have a pass of their own.
        """
        if not self.apart:
            return self.together(batch, tasks, mix)
        found: dict[str, torch.Tensor] = {}
        for task in tasks:
            self.turn_to(task)
            found |= self.together(batch, [task], mix)
        return found

    def turn_to(self, task: str) -> None:
        """Compute with the adapter of a task, where each has its own."""
        if self.apart:
            use(self.trunk, task)
            self.turned = task

    def together(
        self, batch: Batch, tasks: Sequence[str], mix: Callable[[torch.Tensor], torch.Tensor] | None
    ) -> dict[str, torch.Tensor]:
        """The logits of tasks by one pass of the trunk."""
        levels = {self.levels.get(task, "text") for task in tasks}
        if "reply" in levels:
            return {task: replies.surprises(self.trunk, batch, batch.targets[task]) for task in tasks}
        seen: dict[str, torch.Tensor] = {}
        if batch.vectors is not None and self.known == "text":
            vectors = batch.vectors
        else:
            tokens = seen["language"] = self.tokens(batch)
            vectors = pool(tokens, batch.lengths, self.pooling, self.query) if "text" in levels else tokens
        if "text" in levels:
            seen["text"] = self.dropout(mix(vectors) if mix else vectors)
        if "token" in levels:
            seen["token"] = self.dropout(tokens)
        return {task: self.said(task, batch, seen[self.levels.get(task, "text")]) for task in tasks}

    def tokens(self, batch: Batch) -> torch.Tensor:
        """The vector of every token, [tokens, hidden], by the layers whose output is not known."""
        if self.seat is not None:
            vectors: torch.Tensor = self.seat.tokens(batch)
            return vectors
        if batch.vectors is None or not self.known:
            return tokens_of(self.trunk, batch, self.source)
        if self.known == "token":
            return batch.vectors
        with skipped(self.trunk, self.cut, batch.vectors[None]):
            return tokens_of(self.trunk, batch, self.source)

    def train(self, mode: bool = True) -> Network:
        """Train, but for what never learns: nothing is dropped there, so its output is the same in each epoch."""
        super().train(mode)
        for module in self.asleep if mode else ():
            module.eval()
        return self

    def said(self, task: str, batch: Batch, vectors: torch.Tensor) -> torch.Tensor:
        """The logits of one task from what its level gives."""
        own = batch.of(task, vectors)
        if self.levels.get(task) != "language":
            logits: torch.Tensor = self.heads[slot(task)](own)
            return logits
        found = spoken(self.trunk, own, batch.targets[task])
        if self.reference is None or task not in self.reference.tasks:
            return found
        return torch.cat([found, self.reference(self.trunk, batch, task, self.source)], -1)

    def outputs(
        self, batch: Batch, tasks: Sequence[str], mix: Callable[[torch.Tensor], torch.Tensor] | None = None
    ) -> dict[str, Output]:
        """The logits of each task, and what its loss and its answers need beside them."""
        return {
            task: Output(logits, batch.targets[task], batch.lengths_of(task), batch.spans, self.heads[slot(task)])
            for task, logits in self(batch, tasks, mix).items()
        }

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes in at least one epoch, by name."""
        return {
            name: parameter
            for name, parameter in self.named_parameters()
            if parameter.requires_grad or name in self.thawing
        }

    def own(self, task: str) -> list[nn.Parameter]:
        """What some other tasks don't use: its head, its factor in the loss, the query, the language head."""
        balance = getattr(self, "balance", None)
        found = [*self.heads[slot(task)].parameters()]
        found += [] if balance is None else [balance.log_variances[slot(task)]]
        level = self.levels.get(task, "text")
        found += [self.query] if level == "text" and self.query is not None else []
        return found + ([*head_of(self.trunk).parameters()] if level == "language" else [])

    def begin(self, epoch: int) -> None:
        """Let rest what is frozen in an epoch, counted from 1; all else learns."""
        for name, parameter in self.trainable().items():
            if name in self.thawing:
                parameter.requires_grad_(not rests(self.freeze, self.depth(name), self.layers, epoch))

    def depth(self, name: str) -> int:
        """The layer of the trunk that a parameter belongs to, counted from 1; 0 below all layers."""
        return depth(name.removeprefix("trunk."), self.layers)


def slot(task: str) -> str:
    """The name of a task's head: torch allows neither dots nor names of its own attributes."""
    plain = task.replace(".", ":")
    return f"{plain}:" if hasattr(nn.ModuleDict, plain) or hasattr(nn.ModuleDict(), plain) else plain


def build(
    base: Base,
    model: Model,
    tasks: Mapping[str, Task],
    labels: Mapping[str, Sequence[str]],
    *,
    seed: int,
    packing: bool,
    packs: bool | None = None,
    used: np.ndarray | None = None,
) -> Network:
    """The network before training: pre-trained trunk, fresh heads, adapter if any; heads depend on the seed alone.

    `packing` is whether it is wanted, `packs` whether the base can, where that is known. `used` are the token ids of
    the training texts: only their embeddings are trained; None trains all.
    """
    speaks = speaking(tasks)
    packing = packing and not getattr(model.adapter, "virtual", 0)
    trunk, packed = choose_trunk(base, packing, speaks, seed, model.quantise, packs)
    for name, parameter in trunk.named_parameters():
        if "pooler." in name or rests(model.freeze, depth(name, base.layers), base.layers, None):
            parameter.requires_grad_(False)
    referring = [name for name, task in tasks.items() if task.refers]
    # A frozen trunk and a reference are what the folder holds, so that others can find them again.
    drawn = isinstance(model.base, Fresh) and model.adapter is None and not referring
    fresh = base.layers + 1 if drawn else model.reinitialise
    if fresh:
        refresh(trunk, base.layers - fresh, base.layers, seed, CLASSES[speaks])
    torch.manual_seed(seed)
    if model.adapter is not None:
        trunk = adapt(trunk, model.adapter, list(tasks))
    elif used is not None and not speaks:
        narrow(trunk, used)
    heads = nn.ModuleDict({slot(name): task.layer(base.hidden, labels[name]) for name, task in sorted(tasks.items())})
    levels = {name: task.level for name, task in tasks.items()}
    reference = Reference(trunk, model.adapter is not None, referring) if referring else None
    query = nn.Parameter(torch.zeros(base.hidden)) if attends(model, tasks) else None
    network = Network(trunk, heads, model, Source(), packed, levels, base.layers, query, reference)
    network.probed = packed if packing and packs is None else None
    return network


def refresh(trunk: nn.Module, kept: int, layers: int, seed: int, kind: str = "AutoModel") -> None:
    """Give the layers above the lowest `kept` weights as their architecture draws them (Zhang and others 2021)."""
    import transformers

    seed_step(Source(), seed, 1)  # other numbers than those of the heads
    fresh: nn.Module = getattr(transformers, kind).from_config(trunk.config, dtype=torch.float32)
    drawn = dict(fresh.named_parameters())
    with torch.no_grad():
        for name, parameter in trunk.named_parameters():
            if kept < 0 or kept < depth(name, layers) <= layers:
                parameter.copy_(drawn[name])
