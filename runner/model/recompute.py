"""Recompute: keep only what enters each layer, and compute its activations again in the backward pass."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any

from torch import nn

from runner.errors import RunnerError
from runner.model.dropout import Source
from runner.model.language import whole


class Again:
    """The random bits of a layer as they were in its forward pass; afterwards they go on where they were."""

    def __init__(self, source: Source) -> None:
        self.source, self.then = source, source.bits.state

    def __enter__(self) -> None:
        self.now, self.source.bits.state = self.source.bits.state, self.then

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.source.bits.state = self.now


def recompute(trunk: nn.Module, source: Source) -> None:
    """Let the layers of the trunk be computed twice in training; RunnerError where its architecture can't."""
    model: Any = whole(trunk)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), Again(source)

    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    try:
        enable({"use_reentrant": False, "context_fn": contexts})
    except ValueError as error:
        raise RunnerError(
            f"the layers of `{type(model).__name__}` can't be computed again", "leave `gradient_checkpointing` out"
        ) from error
