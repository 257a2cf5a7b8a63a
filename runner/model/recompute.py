"""Recompute: keep only what enters each layer, and compute its activations again in the backward pass."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any

from runner.errors import RunnerError
from runner.model.language import whole
from runner.model.network import Network


class Again:
    """Random bits, and the task whose adapter is used, as they were in a layer's forward pass; then as they are now."""

    def __init__(self, network: Network) -> None:
        self.network, self.then = network, (network.source.bits.state, network.turned)

    def __enter__(self) -> None:
        self.now = self.network.source.bits.state, self.network.turned
        self.turn(*self.then)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.turn(*self.now)

    def turn(self, bits: Any, task: str) -> None:
        """Let the network go on from there."""
        self.network.source.bits.state = bits
        if task != self.network.turned:
            self.network.turn_to(task)


def recompute(network: Network) -> None:
    """Let the layers of the trunk be computed twice in training; RunnerError where its architecture can't."""
    model: Any = whole(network.trunk)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), Again(network)

    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    try:
        enable({"use_reentrant": False, "context_fn": contexts})
    except ValueError as error:
        raise RunnerError(
            f"the layers of `{type(model).__name__}` can't be computed again", "leave `gradient_checkpointing` out"
        ) from error
