"""Pooling: the vectors of a text's tokens to one vector a text. Tokens come without padding, text after text."""

from __future__ import annotations

import torch


def pool(tokens: torch.Tensor, lengths: torch.Tensor, how: str, query: torch.Tensor | None = None) -> torch.Tensor:
    """Vectors [examples, hidden] from [tokens, hidden]: the first token's, the mean, the largest of each feature,
    or by `attention` the mean weighted by the softmax of `query` @ token."""
    if how == "cls":
        return tokens[lengths.cumsum(0) - lengths]
    if how == "max":
        return spread(tokens, lengths).amax(1)
    owner = torch.repeat_interleave(torch.arange(len(lengths), device=lengths.device), lengths)
    total = torch.zeros(len(lengths), tokens.shape[1], dtype=tokens.dtype, device=tokens.device)
    if how == "attention":
        assert query is not None
        shares = spread((tokens.float() * query).sum(-1), lengths).softmax(1)[real(lengths)]
        return total.index_add(0, owner, tokens * shares[:, None].to(tokens.dtype))
    return total.index_add(0, owner, tokens) / lengths[:, None].to(tokens.dtype)


def spread(tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """[tokens, ...] as [examples, longest, ...], -inf where a text has ended."""
    valid = real(lengths)
    rows = tokens.new_full((*valid.shape, *tokens.shape[1:]), float("-inf"))
    rows[valid] = tokens
    return rows


def real(lengths: torch.Tensor) -> torch.Tensor:
    """Which places of [examples, longest] hold a token."""
    return torch.arange(int(lengths.max()), device=lengths.device) < lengths[:, None]
