"""Activations computed again: the same gradients, bit for bit, dropout included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from runner.errors import RunnerError
from runner.model.dropout import seed_step
from runner.model.language import body
from runner.model.recompute import Again, recompute
from tests.model.tiny import LABELS, network, stream

ROWS = stream([3, 7, 5, 9], seed=1)
LORA = {"adapter": {"type": "lora", "rank": 2, "dropout": 0.2, "targets": ["query", "value"]}}


EACH = {"adapter": {**LORA["adapter"], "per_task": True}}


def gradients(encoder: Path, again: bool, packed: bool, model: dict[str, Any]) -> tuple[dict[str, torch.Tensor], int]:
    """The gradients of one batch, and how often the first layer was computed."""
    net = network(encoder, packing=packed, dropout=0.3, **model).train()
    if again:
        recompute(net)
    calls: list[None] = []
    body(net.trunk).encoder.layer[0].intermediate.register_forward_hook(lambda *_: calls.append(None))
    seed_step(net.source, 1, 2)
    out = net(ROWS.batch(range(4), packed=net.packed, pad_id=0), tuple(LABELS))
    after = net.source.bits.state
    sum(each.square().sum() for each in out.values()).backward()  # type: ignore[union-attr]
    assert str(net.source.bits.state) == str(after), "what is drawn again is not drawn from what comes next"
    return {name: each.grad for name, each in net.named_parameters() if each.grad is not None}, len(calls)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("model", [{}, LORA, EACH], ids=["full", "lora", "lora each"])
def test_gradients_are_the_same_bits_and_layers_are_computed_twice(encoder: Path, packed: bool, model: Any) -> None:
    expected, once = gradients(encoder, False, packed, model)
    found, twice = gradients(encoder, True, packed, model)
    assert twice == 2 * once
    assert found.keys() == expected.keys() and len(found) > 4
    assert all(torch.equal(found[name], each) for name, each in expected.items())


def test_without_its_random_bits_a_layer_would_be_another_one(encoder: Path) -> None:
    net, shape = network(encoder), torch.Size([64])
    source = net.source
    source.reseed(3)
    again = Again(net)
    first = source.keep(shape, 0.5)
    second = source.keep(shape, 0.5)
    with again:
        assert torch.equal(source.keep(shape, 0.5), first)
    third = source.keep(shape, 0.5)
    assert not torch.equal(first, second) and not torch.equal(third, second)
    source.reseed(3)
    assert torch.equal(torch.stack([source.keep(shape, 0.5) for _ in range(3)]), torch.stack([first, second, third]))


def test_an_architecture_that_cannot_is_refused(encoder: Path) -> None:
    class Plain(torch.nn.Module):
        def activation_checkpointing_enable(self, how: Any) -> None:
            raise ValueError("no")

    with pytest.raises(RunnerError, match="`Plain` can't be computed again") as error:
        net = network(encoder)
        net.trunk = Plain()
        recompute(net)
    assert "gradient_checkpointing" in error.value.hint
