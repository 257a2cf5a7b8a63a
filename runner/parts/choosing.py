"""Choosing: the next token of each text of a batch, by a random generator of its own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

TOP = 50  # likeliest tokens that a choice is made of


class Sampling(NamedTuple):
    """How tokens are chosen: by probabilities at this temperature, of the likeliest that make up `top_p`."""

    temperature: float
    top_p: float
    max_tokens: int


class Choices:
    """Picks each row's next token by a generator of its own, and leaves all others without a chance.

    It stands at the end of `generate`'s processors, whose greedy search then takes what is left. torch's sampling has
    one generator for a whole batch: what a row gets would depend on the rows beside it. A row that has as many tokens
    as its limit gets the token `end`, so that nobody waits for it.
    """

    def __init__(self, seeds: Sequence[int], sampling: Sampling, limits: Sequence[int], end: int) -> None:
        self.generators = [random.Random(seed) for seed in seeds]
        self.sampling, self.limits, self.end = sampling, limits, end
        self.made = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        import torch

        top, tokens = scores.double().topk(min(TOP, scores.shape[-1]))
        shares = (top / self.sampling.temperature).softmax(-1)
        shares = shares * (shares.cumsum(-1) - shares < self.sampling.top_p)
        sums = shares.cumsum(-1)
        drawn = torch.tensor([[each.random()] for each in self.generators], dtype=sums.dtype, device=sums.device)
        place = torch.searchsorted(sums, drawn * sums[:, -1:], right=True)
        place = place.clamp(max=(shares > 0).sum(-1, keepdim=True) - 1)
        over = torch.tensor([[self.made >= limit] for limit in self.limits], device=sums.device)
        self.made += 1
        chosen = tokens.gather(1, place).masked_fill(over, self.end)
        return torch.full_like(scores, -torch.inf).scatter_(1, chosen, 0.0)
