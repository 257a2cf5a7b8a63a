"""A compiled trunk: the same numbers within 1e-5, and weights that keep their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from runner.model.compiled import compiled
from runner.model.dropout import seed_step
from runner.model.language import body
from runner.model.network import Network
from runner.plan.machine import compiler
from tests.model.tiny import LABELS, network, stream

pytestmark = pytest.mark.slow
ROWS = stream([3, 7, 5, 9, 4, 6], seed=1)


def said(net: Network, rows: Sequence[int]) -> list[torch.Tensor]:
    return list(net(ROWS.batch(rows, packed=net.packed, pad_id=0), tuple(LABELS)).values())


def learned(net: Network) -> list[torch.Tensor]:
    """The gradients of a batch in training, with dropout."""
    net.train()
    net.zero_grad()
    seed_step(net.source, 1, 2)
    sum(each.square().sum() for each in said(net, range(4))).backward()  # type: ignore[union-attr]
    return [each.grad for each in net.parameters() if each.grad is not None]


def answered(net: Network) -> list[torch.Tensor]:
    """The logits of batches of unequal shapes."""
    net.eval()
    with torch.no_grad():
        return [each for rows in ((0, 1), (2, 3, 4)) for each in said(net, rows)]


@pytest.mark.parametrize("packing", [True, False])
def test_masks_of_dropout_and_names_of_weights_stay(encoder: Path, packing: bool) -> None:
    net = network(encoder, packing=packing, dropout=0.3)
    names, expected = list(net.state_dict()), learned(net)
    torch._dynamo.reset()
    with compiled(net, "aot_eager"):
        found = learned(net)
        assert list(net.state_dict()) == names
        assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0, "something was compiled"
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    assert body(net.trunk)._compiled_call_impl is None
    assert all(torch.equal(one, other) for one, other in zip(learned(net), expected, strict=True)), "it is plain again"


@pytest.mark.skipif(compiler() is None, reason="no compiler of C++")
def test_what_a_compiler_makes_of_it_answers_alike(encoder: Path) -> None:
    net = network(encoder)
    expected = answered(net)
    with compiled(net):
        for one, other in zip(answered(net), expected, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
