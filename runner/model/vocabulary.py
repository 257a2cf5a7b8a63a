"""Train only the embedding rows of tokens that the training texts hold.

The other rows get no gradient; without this they would cost as much as the used ones in every optimizer step (half of
MiniLM's weights are embeddings, and a data set uses a tenth of them). They stay as they were pre-trained.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Used(nn.Module):
    """Stands in for an `nn.Embedding`: `weight` [used, hidden] is trained, `whole` [tokens, hidden] is what it was.

    In training every token id must be a used one; in evaluation any may occur.
    """

    ids: torch.Tensor
    place: torch.Tensor
    whole: torch.Tensor

    def __init__(self, embedding: nn.Embedding, used: np.ndarray) -> None:
        super().__init__()
        ids = torch.from_numpy(np.asarray(used, np.int64))
        place = torch.full((embedding.num_embeddings,), -1)
        place[ids] = torch.arange(len(ids))
        padding = embedding.padding_idx
        self.padding_idx = None if padding is None or place[padding] < 0 else int(place[padding])
        self.padding = padding
        self.weight = nn.Parameter(embedding.weight.detach()[ids].clone())
        self.register_buffer("ids", ids, persistent=False)
        self.register_buffer("place", place, persistent=False)
        self.register_buffer("whole", embedding.weight.detach().clone(), persistent=False)
        self.fresh = self.weight._version

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        if self.training:
            return F.embedding(self.place[tokens], self.weight, self.padding_idx)
        return F.embedding(tokens, self.refreshed())

    def train(self, mode: bool = True) -> Used:
        if mode:
            self.fresh = -1  # fused optimizers change a weight without counting its version up
        return super().train(mode)

    def refreshed(self) -> torch.Tensor:
        """The whole table with the trained rows put in; done again only where it may have changed."""
        if self.fresh != self.weight._version:
            self.whole[self.ids] = self.weight.detach()
            self.fresh = self.weight._version
        return self.whole

    def expanded(self) -> nn.Embedding:
        """The plain embedding that it stands for."""
        table = self.refreshed()
        return nn.Embedding(table.shape[0], table.shape[1], padding_idx=self.padding, _weight=table.clone())


def narrow(trunk: nn.Module, used: np.ndarray) -> None:
    """Swap the trunk's token embedding, if it is trained and a plain one."""
    embedding = trunk.get_input_embeddings()  # type: ignore[operator]
    if type(embedding) is nn.Embedding and embedding.weight.requires_grad:
        trunk.set_input_embeddings(Used(embedding, used))  # type: ignore[operator]


def widen(trunk: nn.Module) -> None:
    """Put the plain embedding back, before the trunk is saved."""
    embedding = trunk.get_input_embeddings()  # type: ignore[operator]
    if isinstance(embedding, Used):
        trunk.set_input_embeddings(embedding.expanded())  # type: ignore[operator]
