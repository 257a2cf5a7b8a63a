"""Packing: sequences one after the other without padding; only attention sees them side by side.

Every layer but attention treats tokens alone, so padding there is wasted work. Attention gathers the packed tokens of
texts of similar length, a band, into [examples, heads, longest, width], masks the rest, and scatters the result back:
the logits equal the padded ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from runner.model.dropout import Source, drop

NAME = "runner_packed"
STEP = 0.85  # how much shorter than the longest of its band a text may be
SHORT = 48  # tokens; shorter texts share a band, for a band costs calls too


@dataclass(frozen=True, eq=False)
class Band:
    """Rows of similar length: indices `gather` [examples * longest] of their tokens, and -inf where they have none.

    `source` says what is dropped of their attention.
    """

    gather: torch.Tensor
    examples: int
    longest: int
    bias: torch.Tensor
    source: Source

    @property
    def later(self) -> torch.Tensor:
        """-inf for what stands behind a token, [longest, longest]."""
        return torch.full((self.longest, self.longest), float("-inf"), device=self.bias.device).triu(1)


@dataclass(frozen=True, eq=False)
class Layout:
    """The bands of a packed batch, and the index `scatter` [tokens] of each token in their places in a row."""

    bands: tuple[Band, ...]
    scatter: torch.Tensor

    @property
    def places(self) -> int:
        """How many places the rows of all bands have."""
        return sum(len(band.gather) for band in self.bands)


def arrange(lengths: torch.Tensor, source: Source) -> tuple[Layout, torch.Tensor]:
    """The layout of a packed batch and its position ids [1, tokens]."""
    starts = lengths.cumsum(0) - lengths
    positions = torch.arange(int(lengths.sum()), device=lengths.device) - starts.repeat_interleave(lengths)
    bands, places = [], []
    for rows in alike(lengths.tolist()):
        own = slice(None) if len(rows) == len(lengths) else torch.tensor(rows, device=lengths.device)
        band, valid = banded(starts[own], lengths[own], source)
        bands.append(band)
        places.append(torch.where(valid, band.gather, -1))
    slots = torch.cat(places)
    taken = (slots >= 0).nonzero()[:, 0]
    scatter = torch.empty_like(taken)
    scatter[slots[taken]] = taken
    return Layout(tuple(bands), scatter), positions[None]


def alike(lengths: list[int]) -> list[list[int]]:
    """Rows by band, the longest first; rows of one band keep their order."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    found: list[list[int]] = []
    floor = float("inf")
    for row in order:
        if lengths[row] < floor:
            found.append([])
            floor = STEP * lengths[row] if lengths[row] > SHORT else 0
        found[-1].append(row)
    return [sorted(rows) for rows in found]


def banded(starts: torch.Tensor, lengths: torch.Tensor, source: Source) -> tuple[Band, torch.Tensor]:
    """Rows as a band, and which of its places [examples * longest] hold a token."""
    longest = int(lengths.max())
    positions = torch.arange(longest, device=lengths.device).expand(len(lengths), longest)
    valid = positions < lengths[:, None]
    gather = starts[:, None] + torch.minimum(positions, lengths[:, None] - 1)
    bias = torch.zeros(valid.shape, device=lengths.device).masked_fill_(~valid, float("-inf"))
    return Band(gather.reshape(-1), len(lengths), longest, bias[:, None, None, :], source), valid.reshape(-1)


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
    scale = width**-0.5 if scaling is None else scaling
    sides = [side[0].transpose(0, 1).reshape(side.shape[2], -1) for side in (query, key, value)]
    found = []
    for band in packing.bands:
        own, keys, values = (gathered(side, band, heads, width) for side in sides)
        mixed = attended(own, keys, values, band, scale, causal, dropout)
        found.append(mixed.transpose(1, 2).reshape(-1, heads * width))
    flat = (found[0] if len(found) == 1 else torch.cat(found)).index_select(0, packing.scatter)
    return flat.view(1, -1, heads, width), None


def gathered(side: torch.Tensor, band: Band, heads: int, width: int) -> torch.Tensor:
    """The rows of a band, [examples, heads, longest, width], of tokens [tokens, own heads * width]."""
    found = side.index_select(0, band.gather).view(band.examples, band.longest, -1, width).transpose(1, 2)
    return found if found.shape[1] == heads else found.repeat_interleave(heads // found.shape[1], 1)


def attended(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    band: Band,
    scale: float,
    causal: bool,
    dropout: float,
) -> torch.Tensor:
    """Attention within the rows of a band; several heads of queries may share a key."""
    if dropout == 0:
        bias = None if causal else band.bias.to(query.dtype)
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias, is_causal=causal, scale=scale)
    bias = band.bias.to(query.dtype)
    bias = bias + band.later.to(query.dtype) if causal else bias
    return drop(((query * scale) @ key.transpose(-1, -2) + bias).softmax(-1), dropout, band.source) @ value


def register() -> None:
    """Offer packed attention to transformers under `NAME`."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
