"""Frozen layers: asleep while the rest learns, computed once, and left out where their vectors are known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn


def layers(module: nn.Module) -> list[nn.Module]:
    """The members of the outermost lists of modules that have weights: what an architecture repeats."""
    if isinstance(module, nn.ModuleList):
        return [each for each in module if any(True for _ in each.parameters())]
    return [found for child in module.children() for found in layers(child)]


def asleep(trunk: nn.Module) -> list[nn.Module]:
    """The outermost modules with weights none of which ever learns: nothing in them is dropped either.

    So do modules without weights between them and the first that learns, such as the dropout of GPT-2's embeddings.
    """
    if sleeps(trunk):
        return [trunk]
    found: list[nn.Module] = []
    below = True
    for child in trunk.children():
        weights = any(True for _ in child.parameters())
        below = below and (sleeps(child) or not weights)
        found += asleep(child) if weights else [child] if below and found else []
    return found


def sleeps(module: nn.Module) -> bool:
    """Whether it has weights and none of them ever learns."""
    own = list(module.parameters())
    return bool(own) and not any(parameter.requires_grad for parameter in own)


@contextmanager
def captured(layer: nn.Module) -> Iterator[list[torch.Tensor]]:
    """What a layer puts out while this lasts."""
    found: list[torch.Tensor] = []
    handle = layer.register_forward_hook(lambda _, given, out: found.append(out[0] if isinstance(out, tuple) else out))
    try:
        yield found
    finally:
        handle.remove()


@contextmanager
def skipped(trunk: nn.Module, count: int, vectors: torch.Tensor) -> Iterator[None]:
    """The lowest layers pass on what they get, and the next gets these vectors [1, tokens, hidden] instead."""
    every = layers(trunk)
    with ExitStack() as stack:
        for layer in every[:count]:
            stack.enter_context(passing(layer))
        instead = partial(put, vectors=vectors)
        handle = every[count].register_forward_pre_hook(instead, with_kwargs=True)
        stack.callback(handle.remove)
        yield


@contextmanager
def passing(layer: Any) -> Iterator[None]:
    """A layer that computes nothing; transformers expects a tensor, or a tuple of one in older architectures."""
    layer.forward = lambda hidden_states, *given, **named: hidden_states
    try:
        yield
    finally:
        del layer.forward


def put(
    _: nn.Module, given: tuple[Any, ...], named: dict[str, Any], vectors: torch.Tensor
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a layer with other vectors."""
    if "hidden_states" in named:
        return given, {**named, "hidden_states": vectors}
    return (vectors, *given[1:]), named
