"""Network: a shared trunk and one head per task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import nn

from runner.kinds import Part
from runner.model.batch import Batch
from runner.model.dropout import Dropout, Source, replace
from runner.model.trunk import choose_trunk, tokens_of
from runner.model.vocabulary import narrow
from runner.parts.tasks._task import Task
from runner.plan.base import Base
from runner.spec.tables import Model


class Network(nn.Module):
    """Token vectors from the trunk, pooled to one vector a text for heads that look at texts, then a head a task."""

    def __init__(
        self,
        trunk: nn.Module,
        heads: nn.ModuleDict,
        model: Model,
        source: Source,
        packed: bool,
        by_token: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__()
        self.by_token = by_token
        self.trunk = trunk
        self.heads = heads
        self.pooling = model.pooling
        self.packed = packed
        self.source = source
        self.dropout = Dropout(model.dropout, source)
        replace(self.trunk, source)

    def forward(
        self, batch: Batch, tasks: Sequence[str], mix: Callable[[torch.Tensor], torch.Tensor] | None = None
    ) -> dict[str, torch.Tensor]:
        """Logits of each task, [examples, width] or of those that look at tokens [tokens, width].

        `mix` changes the vectors [examples, hidden] of the texts.
        """
        tokens = tokens_of(self.trunk, batch, self.source)
        seen = {}
        if not self.by_token.issuperset(tasks):
            vectors = pool(tokens, batch.lengths, self.pooling)
            seen["text"] = self.dropout(mix(vectors) if mix else vectors)
        if not self.by_token.isdisjoint(tasks):
            seen["token"] = self.dropout(tokens)
        read = {task: batch.of(task, seen["token" if task in self.by_token else "text"]) for task in tasks}
        return {task: self.heads[slot(task)](vectors) for task, vectors in read.items()}

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}


def slot(task: str) -> str:
    """The name of a task's head: torch allows neither dots nor names of its own attributes."""
    plain = task.replace(".", ":")
    return f"{plain}:" if hasattr(nn.ModuleDict, plain) or hasattr(nn.ModuleDict(), plain) else plain


def pool(tokens: torch.Tensor, lengths: torch.Tensor, how: str) -> torch.Tensor:
    """One vector a sequence, shape [examples, hidden]: the first token's, or the mean over tokens."""
    if how == "cls":
        return tokens[lengths.cumsum(0) - lengths]
    owner = torch.repeat_interleave(torch.arange(len(lengths), device=lengths.device), lengths)
    total = torch.zeros(len(lengths), tokens.shape[1], dtype=tokens.dtype, device=tokens.device)
    return total.index_add(0, owner, tokens) / lengths[:, None].to(tokens.dtype)


def build(
    base: Base,
    model: Model,
    tasks: Mapping[str, Task],
    labels: Mapping[str, Sequence[str]],
    *,
    seed: int,
    packing: bool,
    used: np.ndarray | None = None,
) -> Network:
    """The network before training: pre-trained trunk, fresh heads, adapter if any; heads depend on the seed alone.

    `used` are the token ids of the training texts: only their embeddings are trained; None trains all.
    """
    trunk, packed = choose_trunk(base, packing)
    for name, parameter in trunk.named_parameters():
        if "pooler." in name:
            parameter.requires_grad_(False)
    torch.manual_seed(seed)
    if model.adapter is not None:
        trunk = adapt(trunk, model.adapter)
    elif used is not None:
        narrow(trunk, used)
    heads = nn.ModuleDict({slot(name): task.layer(base.hidden, labels[name]) for name, task in sorted(tasks.items())})
    by_token = frozenset(name for name, task in tasks.items() if task.level == "token")
    return Network(trunk, heads, model, Source(), packed, by_token)


def adapt(trunk: nn.Module, adapter: Part) -> nn.Module:
    """The trunk with an adapter; only the adapter is trained."""
    from peft import get_peft_model

    return get_peft_model(trunk, adapter.config())  # type: ignore[attr-defined]
