"""Mixture: which examples of a batch are mixed with which, and how much of each; see parts/augment/mixup.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from runner.parts.augment.mixup import Mixup
from runner.parts.tasks._output import Output


class Mixture(NamedTuple):
    """Each example's partner, int64 [examples], and the weight of its own part, float [examples]."""

    partners: torch.Tensor
    own: torch.Tensor

    def vectors(self, vectors: torch.Tensor) -> torch.Tensor:
        """Mixed vectors, shape [examples, hidden]."""
        own = self.own[:, None].to(vectors.dtype)
        return own * vectors + (1 - own) * vectors[self.partners]

    def loss(self, loss: Callable[[Output], torch.Tensor], output: Output) -> torch.Tensor:
        """The loss of each example, shape [examples], from that on both targets."""
        other = output._replace(target=output.target[self.partners])
        return self.own * loss(output) + (1 - self.own) * loss(other)


def mixture(part: Mixup, examples: int, words: tuple[int, int, int], device: torch.device) -> Mixture:
    """The mixture of a batch, a pure function of the part and of `words`: seed of the run, epoch, batch."""
    partners, own = part.draw(examples, np.random.default_rng([part.seed, *words]))
    return Mixture(torch.from_numpy(partners).to(device), torch.from_numpy(own.astype(np.float32)).to(device))
