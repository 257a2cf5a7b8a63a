"""Linear-chain CRF: a head that judges the tags of a text's words together (Lafferty and others 2001)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from runner.parts.tasks._output import Output


class Chain(nn.Module):
    """A linear layer that scores each word's tags, beside scores of a tag after another, at the start and at the end.

    `follows` [tags + 1, tags] says which tag may stand after each tag and, in its last row, after none. Training is
    free: only `best` keeps to it. At first all orders score alike, so that the head begins as one without a CRF.
    """

    follows: torch.Tensor

    def __init__(self, hidden: int, follows: Sequence[Sequence[bool]]) -> None:
        super().__init__()
        tags = len(follows[0])
        self.emissions = nn.Linear(hidden, tags)
        self.transitions = nn.Parameter(torch.zeros(tags, tags))  # from the row's tag to the column's
        self.starts = nn.Parameter(torch.zeros(tags))
        self.ends = nn.Parameter(torch.zeros(tags))
        self.register_buffer("follows", torch.tensor(follows), persistent=False)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Scores of each tag, shape [tokens, tags]."""
        scores: torch.Tensor = self.emissions(vectors)
        return scores


class Words(NamedTuple):
    """The words of a batch that are judged, one after the other, and where each stands.

    `scores` [words, tags], `tags` [words], `sequence` [words] and `place` [words] within it, from 0; `fresh` [words]
    where the word before has no token, or there is none; `counts` [sequences] are words, at least one each.
    """

    scores: torch.Tensor
    tags: torch.Tensor
    sequence: torch.Tensor
    place: torch.Tensor
    fresh: torch.Tensor
    counts: torch.Tensor

    def side_by_side(self, values: torch.Tensor) -> torch.Tensor:
        """Values [words, ...] as [sequences, longest, ...], zero behind the last word of each."""
        found = values.new_zeros(len(self.counts), int(self.counts.max()), *values.shape[1:])
        return found.index_put((self.sequence, self.place), values)

    @property
    def there(self) -> torch.Tensor:
        """Which places hold a word, shape [sequences, longest, 1]."""
        return self.side_by_side(torch.ones_like(self.fresh))[..., None]


def words(output: Output) -> Words:
    """The judged words of a batch; sequences without any are left out."""
    assert output.lengths is not None
    judged = output.target >= 0
    owner = torch.arange(len(output.lengths), device=judged.device).repeat_interleave(output.lengths.to(judged.device))
    _, sequence, counts = torch.unique_consecutive(owner[judged], return_inverse=True, return_counts=True)
    place = torch.arange(len(sequence), device=judged.device) - (counts.cumsum(0) - counts)[sequence]
    tags = output.logits.shape[-1]
    number = output.target[judged] // tags
    fresh = (place == 0) | (number != number.roll(1) + 1)
    return Words(output.logits[judged].float(), output.target[judged] % tags, sequence, place, fresh, counts)


def losses(chain: nn.Module | None, batch: Words) -> torch.Tensor:
    """Surprise in nats at the tags of each sequence, in equal parts on its words; shape [words].

    Each step is told relative to the score of the right tag, so that sums stay small and what is nearly sure exact.
    """
    assert isinstance(chain, Chain)
    if not len(batch.counts):
        return batch.scores.sum(-1) + chain.transitions.sum() + chain.starts.sum() + chain.ends.sum()  # gradients of 0
    before = batch.tags.roll(1)
    step = torch.where(batch.place > 0, chain.transitions[before, batch.tags], chain.starts[batch.tags])
    right = step + batch.scores.gather(1, batch.tags[:, None])[:, 0]
    scores, there = batch.side_by_side(batch.scores - right[:, None]), batch.there
    sums = chain.starts + scores[:, 0]
    for place in range(1, scores.shape[1]):
        moved = torch.logsumexp(sums[:, :, None] + chain.transitions, 1) + scores[:, place]
        sums = torch.where(there[:, place], moved, sums)
    last = batch.tags[batch.counts.cumsum(0) - 1]
    surprise = torch.logsumexp(sums + chain.ends, 1) - chain.ends[last]
    return (surprise / batch.counts)[batch.sequence]


def best(chain: nn.Module | None, batch: Words) -> torch.Tensor:
    """The likeliest tags of each sequence among those that may follow each other, by Viterbi; int64 [words]."""
    assert isinstance(chain, Chain)
    if not len(batch.counts):
        return batch.tags
    barred = float("-inf")
    allowed = ~batch.fresh[:, None] | chain.follows[-1]
    scores = batch.side_by_side(batch.scores.masked_fill(~allowed, barred))
    steps, there = chain.transitions.masked_fill(~chain.follows[:-1], barred), batch.there
    stay = torch.arange(scores.shape[-1], device=scores.device)
    sums, came = chain.starts + scores[:, 0], []
    for place in range(1, scores.shape[1]):
        found, source = (sums[:, :, None] + steps).max(1)
        sums = torch.where(there[:, place], found + scores[:, place], sums)
        came.append(torch.where(there[:, place], source, stay))
    tags = [(sums + chain.ends).argmax(1)]
    for source in reversed(came):
        tags.append(source.gather(1, tags[-1][:, None])[:, 0])
    return torch.stack(tags[::-1], 1)[batch.sequence, batch.place]
