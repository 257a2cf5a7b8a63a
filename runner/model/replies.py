"""Replies of an encoder-decoder: its decoder writes one of the two sequences of each example, its encoder reads one."""

from __future__ import annotations

import torch
from torch import nn

from runner.model.batch import Batch
from runner.model.language import of_scores, whole


def surprises(trunk: nn.Module, batch: Batch, target: torch.Tensor) -> torch.Tensor:
    """What `language.surprises` tells of the tokens that are written, those of `target` [tokens] that count."""
    model = whole(trunk)
    read, wrote = batch.lengths[0::2], batch.lengths[1::2]
    ids, mask = rows(batch, 0, read)
    labels, written = rows(batch, 1, wrote)
    start = model.config.decoder_start_token_id
    begun = torch.cat([labels.new_full((len(labels), 1), start), labels[:, :-1]], 1)
    out = trunk(input_ids=ids, attention_mask=mask.long(), decoder_input_ids=begun)
    return of_scores(out.logits[written], target[target >= 0])


def rows(batch: Batch, side: int, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids [examples, longest] of every second sequence of a padded batch, and which of them are real."""
    longest = int(lengths.max())
    return batch.input_ids[side::2, :longest], torch.arange(longest, device=lengths.device) < lengths[:, None]
