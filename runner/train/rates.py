"""A range test of learning rates (Smith 2017, arXiv:1506.01186): the loss while the rate rises from step to step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import lightning.pytorch as pl
import numpy as np

from runner.errors import RunnerError
from runner.train.brief import brief
from runner.train.feed import Feed
from runner.train.module import Module

LOW, HIGH = 1e-7, 1.0
STEPS = 100
KEPT = 0.9  # of the smoothed loss, from step to step
FALLEN = 0.98  # of the level before, or less: else it is noise
WORSE = 4.0  # times the best smoothed loss, beyond which nothing is learned any more


class Tried(NamedTuple):
    """Rates in order, and the smoothed loss of the step that each was used in; it ends where the loss breaks out."""

    rates: list[float]
    losses: list[float]

    @property
    def steepest(self) -> float | None:
        """The rate at which the loss falls fastest; None where it never falls."""
        if len(self.rates) < 5:
            return None
        slopes = np.gradient(self.losses, np.log(self.rates))
        best = int(np.argmin(slopes))
        return self.rates[best] if slopes[best] < 0 else None

    @property
    def suggested(self) -> float | None:
        """A tenth of the rate at which the loss is least, for there it is about to rise; None if it never falls."""
        level = np.median(self.losses[: max(len(self.losses) // 5, 1)])  # rates that are too low to learn by
        if len(self.rates) < 5 or min(self.losses) >= FALLEN * level:
            return None
        return self.rates[int(np.argmin(self.losses))] / 10


class Rising(pl.Callback):
    """Gives each optimizer step its rate, all groups in proportion, and hears its loss."""

    def __init__(self, rate: float, steps: int) -> None:
        self.rate, self.steps = rate, steps
        self.tried = Tried([], [])
        self.mean = self.weight = 0.0

    def now(self, step: int) -> float:
        """The rate of a step."""
        return float(LOW * (HIGH / LOW) ** (step / max(self.steps - 1, 1)))

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        self.tried.rates.append(self.now(trainer.global_step))
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self.tried.rates[-1] / self.rate

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if len(self.tried.losses) == len(self.tried.rates):
            return  # a micro-batch of a step that goes on
        self.mean = KEPT * self.mean + (1 - KEPT) * pl_module.last["loss"]
        self.weight = KEPT * self.weight + (1 - KEPT)
        self.tried.losses.append(self.mean / self.weight)
        if len(self.tried.losses) > 10 and self.tried.losses[-1] > WORSE * min(self.tried.losses):
            trainer.should_stop = True


def tried(module: Module, feed: Feed, steps: int = STEPS) -> Tried:
    """The test on a network that is of no use afterwards."""
    rising = Rising(module.experiment.train.learning_rate, steps)
    try:
        brief(module, feed, rising, steps)
    except RunnerError as error:  # a loss that is no number: the rates before it stay
        if "not a number" not in error.message:
            raise
    found = rising.tried
    known = [at for at, loss in enumerate(found.losses) if math.isfinite(loss)]
    return Tried([found.rates[at] for at in known], [found.losses[at] for at in known])


def fewer(found: Tried, most: int = 12) -> list[tuple[float, float]]:
    """Some of the points, for people."""
    places: Sequence[int] = np.unique(np.linspace(0, len(found.rates) - 1, most).round().astype(int)).tolist()
    return [(found.rates[at], found.losses[at]) for at in places] if found.rates else []
