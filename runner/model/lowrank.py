"""Low rank: what the adapters of several networks add to one layer, each to its own tokens, as one node of the graph.

An adapter is (B A) x, scaled (Hu and others 2021, arXiv:2106.09685). By itself each costs several calls forward and
twice as many back, which is most of what a small batch takes; here two or three products each remain. No network's
numbers touch another's, so one whose weights are no longer finite harms none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from runner.model.dropout import Dropout, mask


class Piece(NamedTuple):
    """The tokens of a network, and what its adapter does to them; `kept` [tokens, in] is its dropout, None for none."""

    tokens: slice
    scaling: float
    kept: torch.Tensor | None


class LowRank(torch.autograd.Function):
    """`known` [tokens, out] with what the adapters make of `x` [tokens, in] added; A and B of each piece in turn."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, known: torch.Tensor, kind: torch.dtype, pieces: Sequence[Piece], *weights: Any
    ) -> torch.Tensor:
        found = known.clone()
        saved = []
        for (tokens, scaling, kept), a, b in zip(pieces, weights[::2], weights[1::2], strict=True):
            given = (x[tokens] if kept is None else x[tokens] * kept).to(kind)
            down, up = a.to(kind), b.to(kind)
            inner = given @ down.T
            found[tokens] += (inner @ up.T).mul_(scaling)
            saved += [given, inner, down, up]
        ctx.pieces = pieces
        ctx.save_for_backward(*saved)
        ctx.input = (x.shape, x.dtype)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (gradient,) = gradients
        saved = ctx.saved_tensors
        shape, kind = ctx.input
        wanted = ctx.needs_input_grad[0]
        back = gradient.new_zeros(shape, dtype=kind) if wanted else None
        found = []
        for at, (tokens, scaling, kept) in enumerate(ctx.pieces):
            given, inner, down, up = saved[4 * at : 4 * at + 4]
            own = gradient[tokens].to(up.dtype) * scaling
            within = own @ up
            found += [within.T @ given, own.T @ inner]
            if back is not None:
                piece = (within @ down).to(kind)
                back[tokens] = piece if kept is None else piece * kept
        return back, gradient, None, None, *found


def plain(layer: Any) -> bool:
    """Whether a layer's adapter is the product alone: no variant of it, nothing merged, disabled or beside it."""
    from peft.tuners.lora.layer import Linear

    if type(layer) is not Linear or layer.merged or layer.disable_adapters or len(layer.active_adapters) != 1:
        return False
    (name,) = layer.active_adapters
    if name not in layer.lora_A or name in layer.lora_variant or layer.lora_B[name].bias is not None:
        return False
    return isinstance(layer.lora_dropout[name], Dropout | nn.Identity)


def added(x: torch.Tensor, known: torch.Tensor, own: Sequence[tuple[slice, Any]]) -> torch.Tensor:
    """`known` [tokens, out] and what plain layers add to it for their tokens of `x` [tokens, in]."""
    pieces, weights = [], []
    for tokens, layer in own:
        (name,) = layer.active_adapters
        dropout = layer.lora_dropout[name]
        drops = isinstance(dropout, Dropout) and dropout.training and dropout.p > 0
        kept = mask(x[tokens][None], dropout.p, dropout.source)[0] if drops else None
        pieces.append(Piece(tokens, layer.scaling[name], kept))
        weights += [layer.lora_A[name].weight, layer.lora_B[name].weight]
    device = x.device.type
    kind = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weights[0].dtype
    found: torch.Tensor = LowRank.apply(x, known, kind, pieces, *weights)  # type: ignore[no-untyped-call]
    return found
