"""Adapters of several networks over the tokens of one layer do what each does alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from runner.model.dropout import Source, replace
from runner.model.lowrank import added, plain

WIDE = 6


def layer(rank: int, dropout: float, seed: int, **more: Any) -> Any:
    torch.manual_seed(seed)
    config = LoraConfig(r=rank, lora_alpha=3, lora_dropout=dropout, target_modules=["0"], **more)
    model: Any = inject_adapter_in_model(config, nn.Sequential(nn.Linear(WIDE, 4)))
    source = Source()
    source.reseed(seed)
    replace(model, source)
    nn.init.normal_(model[0].lora_B["default"].weight)
    return model.train()[0]


def gradients(layers: Sequence[Any]) -> list[torch.Tensor]:
    return [weight.grad for each in layers for weight in (each.lora_A["default"].weight, each.lora_B["default"].weight)]


def both(dropout: float, kind: torch.dtype | None) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """What comes out and all gradients: each layer alone, and all in one node."""
    x, sizes = torch.randn(9, WIDE, generator=torch.Generator().manual_seed(1)), [4, 2, 3]
    found = []
    for joint in (False, True):
        layers = [layer(rank, dropout, seed) for seed, rank in enumerate((2, 4, 3))]
        given = x.clone().requires_grad_()
        with torch.autocast("cpu", kind or torch.bfloat16, enabled=kind is not None):
            if joint:
                known = torch.cat(
                    [each.base_layer(part) for each, part in zip(layers, torch.split(given, sizes), strict=True)]
                )
                places = [slice(0, 4), slice(4, 6), slice(6, 9)]
                out = added(given, known, list(zip(places, layers, strict=True)))
            else:
                out = torch.cat(
                    [each(part[None])[0] for each, part in zip(layers, torch.split(given, sizes), strict=True)]
                )
        torch.autograd.backward((out.float() ** 2).sum())
        assert given.grad is not None
        found.append([out, given.grad, *gradients(layers)])
    return found[0], found[1]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_values_and_gradients_are_those_of_the_layers(dropout: float) -> None:
    for one, other in zip(*both(dropout, None), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_it_computes_in_the_type_that_autocast_names() -> None:
    for one, other in zip(*both(0.0, torch.bfloat16), strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, rtol=3e-2, atol=3e-2)


def test_a_network_whose_weights_are_not_finite_harms_no_other() -> None:
    layers = [layer(2, 0.0, 0), layer(2, 0.0, 1)]
    with torch.no_grad():
        layers[0].lora_B["default"].weight.fill_(float("inf"))
    x = torch.randn(4, WIDE).requires_grad_()
    out = added(x, torch.zeros(4, 4), [(slice(0, 2), layers[0]), (slice(2, 4), layers[1])])
    torch.autograd.backward(out.nan_to_num(0, 0, 0).sum())
    assert not out[:2].isfinite().all()
    assert out[2:].isfinite().all()
    assert x.grad is not None
    assert x.grad[2:].isfinite().all()
    assert all(each.isfinite().all() for each in gradients(layers)[2:])


def test_only_the_product_alone_is_plain() -> None:
    assert plain(layer(2, 0.1, 0))
    assert not plain(layer(2, 0.0, 0, use_dora=True))
    assert not plain(layer(2, 0.0, 0, lora_bias=True))
    assert not plain(nn.Linear(2, 2))
    assert not plain(None)
    disabled = layer(2, 0.0, 0)
    disabled.enable_adapters(False)
    assert not plain(disabled)
    merged = layer(2, 0.0, 0)
    merged.merge()
    assert not plain(merged)
