"""Output: what a head gave for a batch, beside what is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch


class Output(NamedTuple):
    """`logits` [examples, or tokens, width] and `target` as `Task.targets` made it.

    `lengths` [sequences] counts the tokens of each sequence, `spans` [tokens, 2] are the characters that each token
    stands for, where the head looks at tokens; `head` is the layer that gave the logits.
    """

    logits: torch.Tensor
    target: torch.Tensor
    lengths: torch.Tensor | None = None
    spans: torch.Tensor | None = None
    head: torch.nn.Module | None = None
