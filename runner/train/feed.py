"""The one DataModule: batches of training from (epoch, batch) on, as this process shares them, and of validation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import lightning.pytorch as pl
from torch.utils.data import DataLoader, Dataset, Sampler

from runner.kinds import Part
from runner.model.batch import Batch
from runner.model.network import Network
from runner.model.stream import EVALUATION, Stream, together
from runner.plan.estimate import speaking
from runner.spec.tables import Experiment
from runner.train.order import Draw, draws
from runner.train.ranks import ALONE, Ranks


def grouped(experiment: Experiment) -> bool:
    """Whether batches hold texts of similar length."""
    batching = experiment.train.batching
    return not speaking(experiment.tasks) if batching == "auto" else batching == "length_grouped"


class Batches(Dataset[Batch]):
    """Turns a draw into a batch; `words` are what its random choices follow from."""

    def __init__(self, streams: Mapping[str, Stream], packed: bool, pad_id: int, words: tuple[int, ...]) -> None:
        self.streams, self.layout, self.words = streams, {"packed": packed, "pad_id": pad_id}, words

    def __getitem__(self, draw: Draw) -> Batch:
        more: Any = {**self.layout, "shares": draw.shares, "words": self.words}
        if not draw.beside:
            batch = self.streams[draw.stream].batch(draw.rows, **more)
        else:
            batch = together([(self.streams[name], rows) for name, rows in draw.pieces], **more)
        return replace(batch, beyond=draw.beyond) if draw.beyond else batch


class Order(Sampler[Draw]):
    """The draws of one epoch that are still to do."""

    def __init__(self, left: list[Draw]) -> None:
        self.left = left

    def __iter__(self) -> Iterator[Draw]:
        return iter(self.left)

    def __len__(self) -> int:
        return len(self.left)


class Feed(pl.LightningDataModule):
    """Batches of training from (epoch, batch) on, and of validation."""

    def __init__(
        self,
        experiment: Experiment,
        streams: Mapping[str, Mapping[str, Stream]],
        mixing: Part,
        seed: int,
        network: Network,
        pad_id: int,
        ranks: Ranks = ALONE,
    ) -> None:
        super().__init__()
        self.ranks = ranks
        self.experiment, self.streams, self.mixing, self.seed = experiment, streams, mixing, seed
        self.packed, self.pad_id = network.packed, pad_id
        self.first_epoch = self.first_batch = 0

    def epoch_draws(self, epoch: int) -> list[Draw]:
        """All batches of an epoch."""
        train = self.experiment.train
        return draws(
            self.streams["train"],
            self.mixing,
            self.seed,
            epoch,
            batch_size=train.batch_size,
            accumulate=train.accumulate,
            grouped=grouped(self.experiment),
        )

    def train_dataloader(self) -> DataLoader[Batch]:
        epoch = self.first_epoch + (self.trainer.current_epoch if self.trainer else 0)
        left = self.epoch_draws(epoch)[: self.allowed(epoch)]
        if epoch == self.first_epoch:
            left = left[self.first_batch :]
        return self.loader("train", self.ranks.share(left), (self.seed, epoch))

    def loader(self, split: str, order: list[Draw], words: tuple[int, ...]) -> DataLoader[Batch]:
        """Batches of a split in an order."""
        batches = Batches(self.streams[split], self.packed, self.pad_id, words)
        return DataLoader(batches, sampler=Order(order), batch_size=None)

    @property
    def accumulate(self) -> int:
        """Batches of an optimizer step that this process computes."""
        return self.experiment.train.accumulate // self.ranks.size

    def batches(self, epoch: int) -> int:
        """Batches of an epoch that all processes compute together."""
        return min(len(self.epoch_draws(epoch)), self.allowed(epoch))

    @cached_property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of a whole epoch."""
        return math.ceil(len(self.epoch_draws(0)) / self.experiment.train.accumulate)

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        train = self.experiment.train
        whole = self.steps_per_epoch * train.epochs
        return min(whole, train.max_steps or whole)

    @property
    def epochs(self) -> int:
        """Epochs of the whole run; the last one may be cut short by `max_steps`, and is validated like the others."""
        return math.ceil(self.steps / self.steps_per_epoch)

    def allowed(self, epoch: int) -> int:
        """How many batches `max_steps` leaves to an epoch."""
        return max(self.steps - epoch * self.steps_per_epoch, 0) * self.experiment.train.accumulate

    def order(self, split: str) -> list[Draw]:
        """All rows of a split, shortest first."""
        return [
            Draw(name, tuple(rows), {})
            for name, each in self.streams[split].items()
            for rows in each.by_length(self.experiment.evaluate.batch_size)
        ]

    def evaluation(self, split: str) -> DataLoader[Batch]:
        """Batches of a split; what is hidden of its rows is the same each time."""
        return self.loader(split, self.order(split), EVALUATION)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.loader("validation", self.ranks.share(self.order("validation")), EVALUATION)

    @cached_property
    def own(self) -> int:
        """How many batches of validation this process answers for; one behind them only keeps others company."""
        return len(self.order("validation")[self.ranks.rank :: self.ranks.size])
