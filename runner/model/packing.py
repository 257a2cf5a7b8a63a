"""Packing: sequences one after the other without padding; only attention sees them side by side.

Every layer but attention treats tokens alone, so padding there is wasted work. Attention gathers the packed tokens into
[examples, heads, longest, width], masks the rest, and scatters the result back: the logits equal the padded ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from runner.model.dropout import Source, drop

NAME = "runner_packed"


@dataclass(frozen=True, eq=False)
class Layout:
    """How the tokens of one packed batch map to rows: indices `gather` [examples * longest], `scatter` [tokens]."""

    gather: torch.Tensor
    scatter: torch.Tensor
    examples: int
    longest: int
    bias: torch.Tensor
    source: Source

    @property
    def later(self) -> torch.Tensor:
        """-inf for what stands behind a token, [longest, longest]."""
        return torch.full((self.longest, self.longest), float("-inf"), device=self.bias.device).triu(1)


def arrange(lengths: torch.Tensor, source: Source) -> tuple[Layout, torch.Tensor]:
    """The layout of a packed batch and its position ids [1, tokens]."""
    longest = int(lengths.max())
    starts = lengths.cumsum(0) - lengths
    positions = torch.arange(longest, device=lengths.device).expand(len(lengths), longest)
    valid = positions < lengths[:, None]
    gather = starts[:, None] + torch.minimum(positions, lengths[:, None] - 1)
    bias = torch.zeros(valid.shape, device=lengths.device).masked_fill_(~valid, float("-inf"))
    layout = Layout(
        gather.reshape(-1), valid.reshape(-1).nonzero()[:, 0], len(lengths), longest, bias[:, None, None, :], source
    )
    return layout, positions[valid][None]


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    packing: Layout | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention over packed tokens, in the signature that transformers asks for: tensors [1, heads, tokens, width].

    In a decoder no token sees a later one; then padding, which stands behind, is seen by none that is real.
    """
    if packing is None or sliding_window is not None:
        raise ValueError("packed attention needs its layout, and sees whole texts only")
    heads, width = query.shape[1], query.shape[3]
    causal = bool(getattr(module, "is_causal", False))

    def rows(tokens: torch.Tensor) -> torch.Tensor:
        own = tokens.shape[1]
        side = tokens[0].transpose(0, 1).reshape(-1, own * width).index_select(0, packing.gather)
        found = side.view(packing.examples, packing.longest, own, width).transpose(1, 2)
        return found if own == heads else found.repeat_interleave(heads // own, 1)  # several queries share a key

    if dropout == 0:
        bias = None if causal else packing.bias.to(query.dtype)
        mixed = F.scaled_dot_product_attention(
            rows(query), rows(key), rows(value), attn_mask=bias, is_causal=causal, scale=scaling
        )
    else:
        scale = width**-0.5 if scaling is None else scaling
        bias = packing.bias.to(query.dtype)
        bias = bias + packing.later.to(query.dtype) if causal else bias
        scores = (rows(query) * scale) @ rows(key).transpose(-1, -2) + bias
        mixed = drop(scores.softmax(-1), dropout, packing.source) @ rows(value)
    flat = mixed.transpose(1, 2).reshape(-1, heads * width).index_select(0, packing.scatter)
    return flat.view(1, -1, heads, width), None


def register() -> None:
    """Offer packed attention to transformers under `NAME`."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
