"""Balance: how the losses of several tasks make one step, by learned weights or by gradients that do not fight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from runner.model.network import slot
from runner.train.ranks import ALONE, Ranks

Gradients = list[torch.Tensor | None]


class Uncertainty(nn.Module):
    """A log-variance s a task, at first 0: a unit's loss L counts exp(-s) L + s / 2 (Kendall and others 2018)."""

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        self.log_variances = nn.ParameterDict({slot(task): nn.Parameter(torch.zeros(1)) for task in sorted(tasks)})

    def forward(self, task: str, losses: torch.Tensor) -> torch.Tensor:
        """What the losses of a task's units count, shape [units]."""
        variance: torch.Tensor = self.log_variances[slot(task)]
        return (-variance).exp() * losses + variance / 2

    def weight(self, task: str, ranks: Ranks = ALONE) -> float:
        """exp(-s): how much the task's loss counts; all processes ask together, the first one learns it."""
        variance = ranks.whole(self.log_variances[slot(task)].detach())
        return float((-variance).exp()) if ranks.first else math.nan


class Projection:
    """Gradients by task over one optimizer step, which are projected before they are summed (see `project`).

    Only what tasks share is projected; a head has the gradient of its own task.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.gradients: dict[str, Gradients] = {}

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that have gradients now."""
        return {name: each for name, each in self.network.named_parameters() if each.requires_grad}

    def add(self, terms: Mapping[str, torch.Tensor]) -> None:
        """One backward pass a task of a micro-batch; `terms` are what the tasks add to the loss of the step."""
        parameters, last = list(self.trained.values()), len(terms) - 1
        for index, (task, term) in enumerate(terms.items()):
            found = torch.autograd.grad(term, parameters, retain_graph=index < last, allow_unused=True)
            self.gradients[task] = list(map(plus, self.gradients.get(task, [None] * len(found)), found))

    def gather(self, ranks: Ranks) -> None:
        """Sum the gradients of each task over all processes, a task at a time; what no process has stays missing."""
        own = [(task, at) for task, found in self.gradients.items() for at, g in enumerate(found) if g is not None]
        there, parameters = ranks.united(own), list(self.trained.values())
        for task in sorted({task for task, _ in there}):
            places = sorted(at for each, at in there if each == task)
            found = self.gradients.setdefault(task, [None] * len(parameters))
            whole = ranks.summed(flat(found, parameters, places))
            sizes = [parameters[at].numel() for at in places]
            for at, piece in zip(places, torch.split(whole, sizes), strict=True):
                found[at] = piece.view_as(parameters[at])

    def settle(self, rng: np.random.Generator) -> float:
        """Give each parameter the gradient of the whole step; the share of pairs of tasks that were in conflict."""
        trained, each = self.trained, [self.gradients[task] for task in sorted(self.gradients)]
        shared = [index for index, name in enumerate(trained) if not name.startswith("heads.")]
        vectors = [flat(gradients, list(trained.values()), shared) for gradients in each]
        whole, conflicts = project(vectors, rng)
        for parameter, *found in zip(trained.values(), *each, strict=True):
            parameter.grad = total(found)
        start = 0
        for parameter in [list(trained.values())[index] for index in shared]:
            piece = whole[start : start + parameter.numel()].view_as(parameter)
            start += parameter.numel()
            if parameter.grad is not None:
                parameter.grad = piece.to(parameter.dtype)
        self.gradients = {}
        return conflicts


def project(vectors: Sequence[torch.Tensor], rng: np.random.Generator) -> tuple[torch.Tensor, float]:
    """The sum of the vectors, each without what goes against another, and the share of pairs in conflict.

    PCGrad (Yu and others 2020, arXiv:2001.06782, algorithm 1): a vector that has a negative product with another one
    loses its part along that one; the others come in random order, as they were.
    """
    whole, conflicts = torch.zeros_like(vectors[0]), 0
    for index, vector in enumerate(vectors):
        own = vector.clone()
        for place in rng.permutation(len(vectors)):
            other = vectors[place]
            product = own @ other
            if place != index and product < 0:
                own -= product / (other @ other) * other
                conflicts += 1
        whole += own
    return whole, conflicts / max(len(vectors) * (len(vectors) - 1), 1)


def flat(gradients: Gradients, parameters: Sequence[torch.Tensor], shared: Sequence[int]) -> torch.Tensor:
    """The gradients of the shared parameters as one vector, 0 where there is none."""
    pieces = [(gradients[index], parameters[index]) for index in shared]
    return torch.cat([torch.zeros(p.numel(), device=p.device) if g is None else g.flatten() for g, p in pieces])


def plus(one: torch.Tensor | None, other: torch.Tensor | None) -> torch.Tensor | None:
    """The sum of two gradients, either of which may be missing."""
    return other if one is None else one if other is None else one + other


def total(found: Sequence[torch.Tensor | None]) -> torch.Tensor | None:
    """The sum of the gradients that are there."""
    whole: torch.Tensor | None = None
    for each in found:
        whole = plus(whole, each)
    return whole
