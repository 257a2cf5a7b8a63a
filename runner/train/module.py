"""The one LightningModule: a step of training, one of validation, and how gradients become steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import lightning.pytorch as pl
import numpy as np
import torch

from runner.errors import RunnerError
from runner.model.answer import Piece, said
from runner.model.batch import Batch
from runner.model.dropout import seed_step
from runner.model.network import Network
from runner.parts.tasks._output import Output
from runner.plan.preparation import mixups
from runner.spec.tables import Experiment
from runner.train.balance import Projection, Uncertainty
from runner.train.feed import Feed
from runner.train.mixture import Mixture, mixture
from runner.train.optimizer import adamw, factor
from runner.train.order import data_of
from runner.train.strategy import scaler, shard


class Heard(NamedTuple):
    """Of one batch of validation what the heads said, and by task the sum and the number of its units' losses."""

    pieces: list[Piece]
    losses: dict[str, tuple[float, int]]


class Module(pl.LightningModule):
    """One training step: forward, the losses of each task's units, their weighted means over the step."""

    def __init__(
        self,
        network: Network,
        experiment: Experiment,
        weights: Mapping[str, list[float] | None],
        seed: int,
        feed: Feed,
    ) -> None:
        super().__init__()
        self.network, self.experiment, self.seed, self.feed = network, experiment, seed, feed
        self.mixups = mixups(experiment.data)
        self.class_weights = {name: None if w is None else torch.tensor(w) for name, w in weights.items()}
        self.heard: list[Heard] = []
        self.learning: list[torch.nn.Parameter] = []
        self.first_step = self.taken = 0
        self.sharded = False
        self.sums: dict[str, tuple[Any, int]] = {}
        balance = experiment.train.loss_balance
        self.uncertainty = Uncertainty(list(experiment.tasks)) if balance == "uncertainty" else None
        if self.uncertainty is not None:
            network.add_module("balance", self.uncertainty)
        self.projection = Projection(network) if balance == "pcgrad" else None
        self.terms: dict[str, torch.Tensor] = {}
        self.conflicts = 0.0

    @property
    def epoch(self) -> int:
        """Epochs of the whole run before this one, resumes included."""
        return self.feed.first_epoch + self.current_epoch

    def batch_number(self, batch_idx: int) -> int:
        """Index of the batch in its epoch, resumes and other processes included."""
        ranks = self.feed.ranks
        return batch_idx * ranks.size + ranks.rank + (self.feed.first_batch if self.current_epoch == 0 else 0)

    def configure_model(self) -> None:
        if self.feed.ranks.strategy == "fsdp" and not self.sharded:
            shard(self.network, self.device_mesh["data_parallel"])  # type: ignore[index]
            self.sharded = True

    def on_train_epoch_start(self) -> None:
        self.network.begin(self.epoch + 1)
        self.network.train()
        self.learning = [*self.network.trainable().values()]

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        return batch.to(device)

    def losses(self, batch: Batch, number: int) -> dict[str, torch.Tensor]:
        """Losses of the units of each task of the batch, before task weights; `number` is its index in the epoch."""
        mixed = self.mixed(batch, number)
        outputs = self.network.outputs(batch, tuple(batch.targets), mixed.vectors if mixed else None)
        if mixed is None:
            return {name: self.loss(name, output) for name, output in outputs.items()}
        return {name: mixed.loss(partial(self.loss, name), output) for name, output in outputs.items()}

    def loss(self, task: str, output: Output) -> torch.Tensor:
        """Losses of the units of a task, before its weight."""
        part: Any = self.experiment.tasks[task]
        losses: torch.Tensor = part.loss(output, self.weights_on(task, output.target.device))
        return losses

    def mixed(self, batch: Batch, number: int) -> Mixture | None:
        """How the examples of a batch are mixed, where their data set asks for it."""
        part = self.mixups.get(data_of(batch.stream))
        words = (self.seed, self.epoch, number)
        return mixture(part, len(batch), words, batch.lengths.device) if part else None

    def weights_on(self, task: str, device: torch.device) -> torch.Tensor | None:
        weights = self.class_weights[task]
        return None if weights is None else weights.to(device)

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        number = self.batch_number(batch_idx)
        seed_step(self.network.source, self.seed, self.epoch, number)
        losses = self.losses(batch, number)
        tasks: Mapping[str, Any] = self.experiment.tasks
        counted = {name: self.uncertainty(name, loss) for name, loss in losses.items()} if self.uncertainty else losses
        self.terms = {name: tasks[name].loss_weight * batch.shares[name] * loss.sum() for name, loss in counted.items()}
        total = sum(self.terms.values())
        assert isinstance(total, torch.Tensor)
        self.must_be_finite(total, lambda: [name for name, each in losses.items() if not torch.isfinite(each).all()])
        self.count({} if batch.idle else losses, first=batch_idx % self.feed.accumulate == 0)
        if self.sharded:
            total = total + self.beside(batch)
        return total * self.experiment.train.accumulate  # Lightning and the strategy take means of what is to be summed

    def beside(self, batch: Batch) -> torch.Tensor:
        """0, yet with a gradient for what only other processes use now: all must reduce the same weights."""
        unused = [each for task in batch.beyond for each in self.network.own(task) if each.requires_grad]
        return 0.0 * torch.stack([each.sum() for each in unused] or [torch.zeros((), device=self.device)]).sum()

    def backward(self, loss: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        if self.projection is None:
            super().backward(loss, *args, **kwargs)
            if self.network.seat is not None:
                self.network.seat.backward()
        else:
            self.projection.add(self.terms)
        self.terms = {}

    def count(self, losses: Mapping[str, torch.Tensor], *, first: bool) -> None:
        """Sum up the losses of the micro-batches of one optimizer step."""
        if first:
            self.sums = {}
        for name, loss in losses.items():
            total, seen = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + loss.detach().sum(), seen + len(loss))

    @property
    def last(self) -> dict[str, float]:
        """Mean loss a task over the units of the last optimizer step, their weighted sum, and how they are balanced.

        All processes must ask for it together; the first one learns it.
        """
        ranks = self.feed.ranks
        each = ranks.gathered({name: (float(total), seen) for name, (total, seen) in self.sums.items()})
        found = self.means(each)
        if self.uncertainty is not None:
            found |= {f"{name}.weight": self.uncertainty.weight(name, ranks) for name in self.experiment.tasks}
        return found if self.projection is None else found | {"conflicts": self.conflicts}

    def means(self, sums: Sequence[Mapping[str, tuple[Any, int]]]) -> dict[str, float]:
        """Mean loss a task, and their weighted sum, from what each process has summed up."""
        tasks: Mapping[str, Any] = self.experiment.tasks
        means = {}
        for name in dict.fromkeys(name for each in sums for name in each):
            totals, seen = zip(*(each[name] for each in sums if name in each), strict=True)
            means[name] = sum(map(float, totals)) / max(sum(seen), 1)
        whole = sum(tasks[name].loss_weight * mean for name, mean in means.items())
        return {"loss": whole, **{f"{name}.loss": mean for name, mean in means.items()}}

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        if self.projection is not None:
            self.projection.gather(self.feed.ranks)
            words = [self.seed, self.first_step + self.global_step, 2**21]
            self.conflicts = self.projection.settle(np.random.default_rng(words))
        limit = self.experiment.train.clip_norm or math.inf
        norm: Any = torch.nn.utils.clip_grad_norm_(self.learning, limit)
        norm = norm.full_tensor() if self.sharded else norm
        if scaler(self.trainer).get("scale", 0.0) <= 1:  # a larger scale may shrink; the step is left out meanwhile
            self.must_be_finite(norm, lambda: list(self.sums))

    def must_be_finite(self, value: torch.Tensor, culprits: Callable[[], list[str]]) -> None:
        """Stop before a loss or gradient that is no number reaches the weights."""
        if not torch.isfinite(value.detach()):
            step = self.first_step + self.global_step
            raise RunnerError(
                f"the loss or gradient of {', '.join(f'`{name}`' for name in culprits())} is not a number at step "
                f"{step + 1}",
                "lower `train.learning_rate` or raise `train.warmup`; the last good checkpoint is kept",
                step,
            )

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        outputs = self.network.outputs(batch, tuple(batch.targets))
        losses = {name: self.loss(name, output) for name, output in outputs.items()}
        sums = {name: (float(each.double().sum()), len(each)) for name, each in losses.items()}
        self.heard.append(Heard(said(batch, outputs, self.experiment.tasks), sums))

    def predict_step(self, batch: Batch, batch_idx: int) -> list[Piece]:
        return said(batch, self.network.outputs(batch, tuple(batch.targets)), self.experiment.tasks)

    def configure_optimizers(self) -> Any:
        optimizer = adamw(self.network, self.experiment.train)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: factor(self.experiment.train, step + self.first_step, self.feed.steps)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
