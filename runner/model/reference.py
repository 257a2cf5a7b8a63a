"""The reference: what a language model said before training, which a preference is measured from."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from runner.model.batch import Batch
from runner.model.dropout import Source
from runner.model.language import head_of, surprises, whole
from runner.model.trunk import tokens_of


def spoken(trunk: nn.Module, vectors: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """What `surprises` tells of the tokens that count, shape [tokens that count, 3]."""
    judged = target >= 0
    return surprises(head_of(trunk), vectors[judged], target[judged])


class Reference:
    """The trunk as it was: with its adapter turned off, or a frozen copy where all weights are trained."""

    def __init__(self, trunk: nn.Module, adapted: bool, tasks: Sequence[str]) -> None:
        self.tasks = frozenset(tasks)
        self.frozen = None if adapted else copy.deepcopy(trunk).requires_grad_(False).eval()

    def begin(self, trunk: nn.Module) -> None:
        """Measure from this trunk, where all weights are trained."""
        if self.frozen is not None:
            self.frozen = trunk.requires_grad_(False).eval()

    def __call__(self, trunk: nn.Module, batch: Batch, task: str, source: Source) -> torch.Tensor:
        """What it would have said, without dropout and without gradients."""
        own: Any = self.frozen or trunk
        if hasattr(own, "prompt_encoder"):
            own = whole(own)  # without the virtual tokens
        learning = own.training
        own.to(batch.input_ids.device).eval()  # a copy is no part of the network, which moves without it
        try:
            with torch.no_grad(), own.disable_adapter() if hasattr(own, "disable_adapter") else nullcontext():
                vectors = batch.of(task, tokens_of(own, batch, source))
                return spoken(own, vectors, batch.targets[task])
        finally:
            own.train(learning)
