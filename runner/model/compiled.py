"""Compiled: the trunk as code that torch compiles for it, while it trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch

from runner.model.language import body
from runner.model.network import Network


@contextmanager
def compiled(network: Network, backend: str = "inductor") -> Iterator[None]:
    """In place, so that weights keep their names; on a processor the masks of dropout are drawn outside, as ever."""
    trunk, source, disable = body(network.trunk), vars(network.source), cast(Any, torch.compiler.disable)
    source["keep"] = disable(network.source.keep)
    trunk.compile(dynamic=True, backend=backend)
    try:
        yield
    finally:
        trunk._compiled_call_impl = None
        del source["keep"]
