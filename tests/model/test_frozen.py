"""Frozen layers: what sleeps, and a probe that finds where their vectors would not be those of training."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from runner.model.activations import Computed
from runner.model.dropout import Dropout, Source
from runner.model.frozen import asleep
from tests.model.tiny import network, stream

LOWEST = {"freeze": {"layers": 1, "embeddings": True}}


def rest(module: nn.Module) -> nn.Module:
    return module.requires_grad_(False)


def test_dropout_between_what_rests_and_what_learns_sleeps() -> None:
    below, between, layers = (
        rest(nn.Embedding(3, 2)),
        nn.Dropout(),
        nn.ModuleList([rest(nn.Linear(2, 2)), nn.Linear(2, 2)]),
    )
    above = nn.Dropout()
    trunk = nn.ModuleDict({"wte": below, "drop": between, "h": layers, "last": above})
    assert asleep(trunk) == [below, between, layers[0]]


def test_dropout_below_what_learns_stays_awake() -> None:
    trunk = nn.Sequential(nn.Dropout(), nn.Linear(2, 2), nn.Dropout())
    assert asleep(trunk) == []


def test_a_probe_sees_dropout_that_is_awake_below(encoder: Path) -> None:
    net = network(encoder, **LOWEST)
    computed = Computed(net, "layer", 1, 16, 8, "fp32", "cpu")
    texts = stream([5, 9, 3])
    assert computed.holds(texts, 0)

    class Awake(nn.Module):
        """Embeddings below a dropout that nothing puts to sleep."""

        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner, self.dropout = inner, Dropout(0.1, Source())

        def forward(self, *given: torch.Tensor, **named: torch.Tensor) -> torch.Tensor:
            return self.dropout.train()(self.inner(*given, **named)) if net.training else self.inner(*given, **named)

    net.trunk.embeddings = Awake(net.trunk.embeddings)
    assert not computed.holds(texts, 0)
