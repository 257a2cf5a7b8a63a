"""Dropout whose masks are a pure function of (seed, step), drawn sixteen bits an element.

On a processor torch draws one double a mask element, serially: measured 14 % of a MiniLM training step. Here numpy's
SFC64 gives four elements a word. The drop probability is rounded to 1 / 65536. Other devices use torch's own.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn


class Source:
    """The random bits of one step, shared by all dropout layers of a network."""

    def __init__(self) -> None:
        self.reseed(0)

    def reseed(self, *words: int) -> None:
        """Begin a step: equal words give equal masks."""
        self.bits = np.random.SFC64(np.random.SeedSequence(words))

    def keep(self, shape: torch.Size, p: float) -> torch.Tensor:
        """A float mask: 0 with probability p, else 1 / (1 - p)."""
        count = shape.numel()
        drawn = self.bits.random_raw((count + 3) // 4).view(np.uint16)[:count]
        threshold = min(round(p * 65536), 65535)
        mask = (drawn >= threshold).astype(np.float32)
        mask *= np.float32(65536 / (65536 - threshold))
        return torch.from_numpy(mask).view(shape)


class Dropout(nn.Module):
    """nn.Dropout over a shared `Source`."""

    def __init__(self, p: float, source: Source) -> None:
        super().__init__()
        self.p = p
        self.source = source

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return drop(x, self.p, self.source) if self.training else x

    def extra_repr(self) -> str:
        return f"p={self.p}"


def drop(x: torch.Tensor, p: float, source: Source) -> torch.Tensor:
    """Zero elements with probability p and scale the others up."""
    if p == 0:
        return x
    if x.device.type != "cpu":
        return nn.functional.dropout(x, p)
    return x * mask(x, p, source)


def mask(x: torch.Tensor, p: float, source: Source) -> torch.Tensor:
    """What `drop` multiplies elements with, in their type."""
    if x.device.type != "cpu":
        return nn.functional.dropout(torch.ones_like(x), p)
    return source.keep(x.shape, p).to(x.dtype)


def replace(module: nn.Module, source: Source) -> None:
    """Swap every nn.Dropout below `module` for one over `source`."""
    for name, child in module.named_children():
        if isinstance(child, nn.Dropout):
            setattr(module, name, Dropout(child.p, source))
        else:
            replace(child, source)


def seed_step(source: Source, *words: int) -> None:
    """Make all randomness of one training step a pure function of these words."""
    source.reseed(*words)
    state: Any = np.random.SeedSequence(words).generate_state(1, np.uint64)[0]
    seed_torch(int(state))


def seed_torch(state: int) -> None:
    """`torch.manual_seed`, which where there is no accelerator only spends time on remembering who called it."""
    if accelerated():
        torch.manual_seed(state)
    else:
        torch.default_generator.manual_seed(state)


@cache
def accelerated() -> bool:
    """Whether this machine has one."""
    return bool(torch.accelerator.is_available())
