"""Averages of the weights along training, and the exchange of weights for their average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from runner.spec.tables import Average
from runner.train.ranks import like

Weights = Mapping[str, torch.Tensor]


class Running:
    """The average of trainable weights so far; its `state` and the weights are all that it follows from."""

    def __init__(self, rule: Average) -> None:
        self.rule = rule
        self.steps = 0
        self.kept: list[dict[str, torch.Tensor]] = []
        self.own: dict[str, torch.Tensor] = {}

    def step(self, weights: Weights) -> None:
        """Take in the weights after an optimizer step."""
        if self.rule.ema is None:
            return
        self.steps += 1
        if not self.kept:
            self.kept = [copy(weights)]
        decay = min(self.rule.ema, (1 + self.steps) / (10 + self.steps))
        for name, mean in self.kept[0].items():
            mean.lerp_(weights[name].detach(), 1 - decay)

    def epoch(self, weights: Weights) -> None:
        """Take in the weights at the end of an epoch."""
        if self.rule.last is not None:
            self.kept = [*self.kept, copy(weights)][-self.rule.last :]

    def mean(self, name: str) -> torch.Tensor:
        """The average of one weight."""
        return torch.stack([each[name] for each in self.kept]).mean(0) if len(self.kept) > 1 else self.kept[0][name]

    def enter(self, weights: Weights) -> None:
        """Put the average in the place of the weights."""
        self.own = copy(weights)
        put({name: self.mean(name) for name in weights}, weights)

    def leave(self, weights: Weights) -> None:
        """Put the weights back."""
        put(self.own, weights)
        self.own = {}

    @property
    def state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"steps": self.steps, "kept": self.kept}

    def restore(self, state: dict[str, Any], weights: Weights) -> None:
        """Take up a state, where the weights lie."""
        self.steps = state["steps"]
        self.kept = [
            {name: like(each[name].to(weights[name].device), weights[name]) for name in each} for each in state["kept"]
        ]


def copy(weights: Weights) -> dict[str, torch.Tensor]:
    """The weights as they are now."""
    return {name: each.detach().clone() for name, each in weights.items()}


def put(source: Weights, weights: Weights) -> None:
    """Overwrite weights."""
    with torch.no_grad():
        for name, each in weights.items():
            each.copy_(source[name])
