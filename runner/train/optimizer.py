"""The optimizer and the course of its learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from runner.spec.tables import Train

if TYPE_CHECKING:
    import torch
    from torch import nn

BALANCE = "balance."  # how the names of parameters begin that balance losses


def adamw(network: nn.Module, train: Train) -> torch.optim.AdamW:
    """Fused AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101); norms and biases don't decay."""
    import torch

    found = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    trained = [parameter for name, parameter in found.items() if not name.startswith(BALANCE)]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": train.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        {
            "params": [parameter for name, parameter in found.items() if name.startswith(BALANCE)],
            "weight_decay": 0.0,
            "lr": train.balance_rate,
        },
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=train.learning_rate, fused=True)


def factor(train: Train, step: int, total: int) -> float:
    """Learning rate of optimizer step `step` (0-based) of `total`, as a share of the peak."""
    rising = math.ceil(train.warmup * total - 1e-9)
    if step < rising:
        return (step + 1) / rising
    if train.schedule == "constant":
        return 1.0
    done = (step - rising) / max(total - rising, 1)
    return max(0.0, 1 - done) if train.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
