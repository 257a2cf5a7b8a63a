"""Training a part of the embeddings is training all of them: the others have no gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from runner.model.vocabulary import Used, narrow, widen


def table(tokens: int = 7, width: int = 3, padding: int | None = 0) -> nn.Embedding:
    torch.manual_seed(1)
    return nn.Embedding(tokens, width, padding_idx=padding)


def loss_of(layer: nn.Module, ids: list[int]) -> torch.Tensor:
    return (layer(torch.tensor(ids)) ** 3).sum()


def test_training_moves_the_used_rows_as_the_whole_table_would_and_no_other() -> None:
    plain, used = table(), Used(table(), np.array([0, 2, 5]))
    for layer in (plain, used):
        step = torch.optim.AdamW(layer.parameters(), lr=0.1, weight_decay=0.0)
        for _ in range(3):
            step.zero_grad()
            loss_of(layer, [0, 2, 2, 5]).backward()
            step.step()
    assert torch.equal(used.expanded().weight, plain.weight)
    untouched = [0, 1, 3, 4, 6]
    assert torch.equal(used.expanded().weight[untouched], table().weight[untouched])


def test_evaluation_knows_every_token_and_follows_the_training() -> None:
    used = Used(table(), np.array([2, 5])).eval()
    every = torch.arange(7)
    assert torch.equal(used(every), table()(every))
    with torch.no_grad():
        used.weight += 1
    assert torch.equal(used(every)[2], table().weight[2] + 1)
    assert torch.equal(used(every)[3], table().weight[3])


@pytest.mark.parametrize("fused", [True, False])
def test_evaluation_between_two_steps_sees_the_weights_of_the_moment(fused: bool) -> None:
    used = Used(table(), np.array([2, 5]))
    step = torch.optim.AdamW(used.parameters(), lr=0.1, fused=fused)
    for _ in range(2):
        used.train()
        loss_of(used, [2, 5]).backward()
        step.step()
        assert torch.equal(used.eval()(torch.tensor([5, 2])), used.weight[[1, 0]])


def test_a_token_that_training_never_announced_is_refused() -> None:
    with pytest.raises(IndexError):
        Used(table(), np.array([2, 5]))(torch.tensor([3]))


def test_padding_keeps_no_gradient() -> None:
    used = Used(table(), np.array([0, 2]))
    loss_of(used, [0, 0, 2]).backward()
    assert used.weight.grad is not None
    assert used.weight.grad[0].tolist() == [0, 0, 0] and used.weight.grad[1].abs().sum() > 0


class Trunk(nn.Module):
    """What a model of transformers offers."""

    def __init__(self, embedding: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding

    def get_input_embeddings(self) -> nn.Module:
        return self.embedding

    def set_input_embeddings(self, embedding: nn.Module) -> None:
        self.embedding = embedding


def test_a_trunk_is_narrowed_and_widened_to_what_it_was() -> None:
    trunk = Trunk(table())
    narrow(trunk, np.array([1, 2]))
    assert [tuple(each.shape) for each in trunk.parameters()] == [(2, 3)]
    widen(trunk)
    assert type(trunk.embedding) is nn.Embedding and trunk.embedding.padding_idx == 0
    assert torch.equal(trunk.embedding.weight, table().weight)


def test_a_frozen_embedding_is_left_alone() -> None:
    trunk = Trunk(table().requires_grad_(False))
    narrow(trunk, np.array([1, 2]))
    assert type(trunk.embedding) is nn.Embedding
