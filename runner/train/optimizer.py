"""The optimizer and the course of its learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from runner.spec.tables import Train

if TYPE_CHECKING:
    import torch

    from runner.model.network import Network

BALANCE = "balance."  # how the names of parameters begin that balance losses


def adamw(network: Network, train: Train) -> torch.optim.AdamW:
    """Fused AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101); norms, biases and factors don't decay."""
    import torch

    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in network.trainable().items():
        free = parameter.ndim <= 1 or ".ia3_l." in name or name.startswith(BALANCE)
        groups.setdefault((peak(network, train, name), 0.0 if free else train.weight_decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": each, "lr": rate, "weight_decay": decay} for (rate, decay), each in groups.items()],
        lr=train.learning_rate,
        fused=train.precision != "fp16",  # a fused step would undo the scale of losses only after clipping
    )


def peak(network: Network, train: Train, name: str) -> float:
    """Peak learning rate of a parameter, smaller in lower layers (Howard and Ruder 2018, arXiv:1801.06146)."""
    if name.startswith(BALANCE):
        return train.balance_rate
    if not name.startswith("trunk."):
        return train.head_learning_rate or train.learning_rate
    layer = network.depth(name)
    above = max(network.layers - layer, 0) if layer else network.layers + 1
    return train.learning_rate * train.layer_decay**above


def factor(train: Train, step: int, total: int) -> float:
    """Learning rate of optimizer step `step` (0-based) of `total`, as a share of the peak."""
    rising = math.ceil(train.warmup * total - 1e-9)
    if step < rising:
        return (step + 1) / rising
    if train.schedule == "constant":
        return 1.0
    done = (step - rising) / max(total - rising, 1)
    return max(0.0, 1 - done) if train.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
