"""Compiled: the trunk as code that torch compiles for it, while it trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from runner.model.dropout import Dropout
from runner.model.language import body
from runner.model.network import Network


@contextmanager
def compiled(network: Network, backend: str = "inductor") -> Iterator[None]:
    """In place, so that weights keep their names; the masks of dropout are drawn outside, as ever."""
    disable: Any = torch.compiler.disable
    trunk = body(network.trunk)
    drops: list[Any] = [each for each in trunk.modules() if isinstance(each, Dropout)]
    for each in drops:
        each.forward = disable(each.forward)
    network.source.keep = disable(network.source.keep)  # type: ignore[method-assign]
    trunk.compile(dynamic=True, backend=backend)
    try:
        yield
    finally:
        trunk._compiled_call_impl = None
        for each in [*drops, network.source]:
            vars(each).pop("forward", None)
            vars(each).pop("keep", None)
