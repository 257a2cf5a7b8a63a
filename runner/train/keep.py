"""Keep: records the curves, chooses the best epoch, saves the state to resume from, stops early."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from runner import kinds
from runner.errors import Interrupted
from runner.model.answer import answers
from runner.model.stream import Stream
from runner.plan.selection import combined, higher_is_better, terms
from runner.train import state
from runner.train.average import Running
from runner.train.module import Module
from runner.train.optimizer import factor
from runner.train.ranks import ALONE, Ranks, dealt, interleaved, rest
from runner.train.strategy import scaler

EVERY = 10  # optimizer steps between two points of the training curve


class Keep(pl.Callback):
    """`state.pt` goes on exactly where it was saved; `best/best.pt` holds the best epoch's trainable weights."""

    def __init__(
        self,
        folder: Path,
        validation: Mapping[str, Stream],
        labels: Mapping[str, Sequence[str]],
        record: Callable[..., None],
        stop: threading.Event,
        average: Running | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self.average, self.ranks = average, ranks
        self.averaged: dict[str, Any] | None = None
        self.folder, self.validation, self.labels, self.record, self.stop = folder, validation, labels, record, stop
        self.best, self.best_epoch = -math.inf, -1
        self.watched, self.waited = -math.inf, 0
        self.stopped = False
        self.optimizer: dict[str, Any] | None = None
        self.scaler: dict[str, Any] = {}
        self.saved_at = time.monotonic()

    def restore(self, saved: dict[str, Any], module: Module) -> None:
        """Take up a saved state before training goes on."""
        module.network.load_state_dict(saved["weights"], strict=False)
        module.feed.first_epoch, module.feed.first_batch = saved["epoch"], saved["batch"]
        module.first_step = saved["step"]
        self.optimizer, self.averaged, self.scaler = saved["optimizer"], saved["average"], saved.get("scaler", {})
        for name in ("best", "best_epoch", "watched", "waited", "stopped"):
            setattr(self, name, saved[name])

    def save(self, trainer: pl.Trainer, module: Module, epoch: int, batch: int) -> None:
        """Save everything that is not a pure function of the spec and of (epoch, batch); all processes call it."""
        content = {
            "weights": self.weights(module),
            "optimizer": self.ranks.whole(trainer.optimizers[0].state_dict()),
            "average": self.average and self.ranks.whole(self.average.state),
            "scaler": scaler(trainer),
            "epoch": epoch,
            "batch": batch,
            "step": module.first_step + trainer.global_step,
            **{name: getattr(self, name) for name in ("best", "best_epoch", "watched", "waited", "stopped")},
        }
        if self.ranks.first:
            state.save(self.folder / "state.pt", content)
        self.saved_at = time.monotonic()

    def weights(self, module: Module) -> dict[str, Any]:
        """The trainable weights as they are now."""
        found: dict[str, Any] = self.ranks.whole({name: p.detach() for name, p in module.network.trainable().items()})
        return found

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        if self.optimizer is not None:
            optimizer = trainer.optimizers[0]
            owners = [each for group in optimizer.param_groups for each in group["params"]]
            optimizer.load_state_dict(dealt(self.optimizer, owners))
            self.optimizer = None
        if self.scaler:
            trainer.precision_plugin.load_state_dict(self.scaler)
        if self.average is not None and self.averaged is not None:
            self.average.restore(self.averaged, module.network.trainable())

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        accumulate = module.feed.accumulate
        done = batch_idx + 1
        whole = done % accumulate == 0 or done == trainer.num_training_batches
        step = module.first_step + trainer.global_step
        if whole and self.average is not None:
            self.average.step(module.network.trainable())
        if whole and (step % EVERY == 0 or step == 1):
            train = module.experiment.train
            rate = train.learning_rate * factor(train, step - 1, module.feed.steps)
            values = module.last | {"learning_rate": rate}
            self.written(step, self.position(module, batch_idx), "train", values)
        late = time.monotonic() - self.saved_at > 60 * module.experiment.train.checkpoint_minutes
        if whole and done < trainer.num_training_batches and self.ranks.agreed(late or self.stop.is_set()):
            self.save(trainer, module, module.epoch, self.next_batch(module, batch_idx))
            self.leave()

    def written(self, step: int, epoch: float, split: str, values: Mapping[str, float]) -> None:
        """Record a point of the curves, once."""
        if self.ranks.first:
            self.record("metrics", step=step, epoch=epoch, split=split, values=values)

    def next_batch(self, module: Module, batch_idx: int) -> int:
        """Index in its epoch of the batch after those that all processes have done."""
        return module.batch_number(batch_idx) - self.ranks.rank + self.ranks.size

    def position(self, module: Module, batch_idx: int) -> float:
        """Epochs done, as a fraction."""
        batches = module.feed.batches(module.epoch)
        return module.epoch + min(self.next_batch(module, batch_idx), batches) / batches

    def leave(self) -> None:
        if self.ranks.agreed(self.stop.is_set()):
            raise Interrupted("interrupted; the state is saved", "`runner resume` goes on")

    def on_validation_epoch_start(self, trainer: pl.Trainer, module: Any) -> None:
        module.heard = []
        if self.average is not None:
            self.average.epoch(module.network.trainable())
            self.average.enter(module.network.trainable())

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:
        rest(module.network)
        module.heard = interleaved(self.ranks.gathered(module.heard[: module.feed.own]))
        values = self.ranks.told(self.scores(module) if self.ranks.first else {})
        train = module.experiment.train
        step = module.first_step + trainer.global_step
        self.written(step, float(module.epoch + 1), "validation", values)
        self.values = values
        score = oriented(train.select_by, values)
        if score > self.best or self.best_epoch < 0:
            self.best, self.best_epoch = score, module.epoch
            weights = self.weights(module)
            if self.ranks.first:
                state.save(self.folder / "best" / "best.pt", {"weights": weights, "epoch": module.epoch})
        if self.average is not None:
            self.average.leave(module.network.trainable())
        if train.early_stopping is not None:
            self.watch(oriented(train.early_stopping.metric, values), train.early_stopping, trainer)

    def watch(self, score: float, rule: Any, trainer: pl.Trainer) -> None:
        """Count epochs without improvement; stop when they are too many."""
        better = score > self.watched + rule.min_delta
        self.watched, self.waited = (score, 0) if better else (self.watched, self.waited + 1)
        self.stopped = self.waited >= rule.patience
        trainer.should_stop = trainer.should_stop or self.stopped

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:
        self.save(trainer, module, module.epoch + 1, 0)
        self.leave()

    def scores(self, module: Module) -> dict[str, float]:
        """Every metric of every task, the losses, and `combined`."""
        tasks: Mapping[str, Any] = module.experiment.tasks
        values: dict[str, float] = {}
        pieces = [piece for each in module.heard for piece in each.pieces]
        for given in answers(pieces, self.validation, tasks, self.labels, "validation"):
            given = tasks[given.task].settled(given, tasks[given.task].tuned(given))
            for name in tasks[given.task].metrics:
                found: dict[str, float] = kinds.pick("metrics", name)().score(given)  # type: ignore[attr-defined]
                values |= {f"{given.task}.{name}{'.' * bool(label)}{label}": value for label, value in found.items()}
        values |= validation_loss(module, tasks)
        return values | {"combined": combined(terms(module.experiment), values)}


def validation_loss(module: Module, tasks: Mapping[str, Any]) -> dict[str, float]:
    """Mean loss a task over its units, and their weighted sum as `loss`."""
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for each in module.heard:
        for name, (total, units) in each.losses.items():
            sums[name] = sums.get(name, 0.0) + total
            counts[name] = counts.get(name, 0) + units
    means = {name: sums[name] / max(counts[name], 1) for name in sums}
    return {f"{name}.loss": mean for name, mean in means.items()} | {
        "loss": sum(tasks[name].loss_weight * mean for name, mean in means.items())
    }


def oriented(metric: str, values: Mapping[str, float]) -> float:
    """The value with its sign such that higher is better; a value that is not a number is worst."""
    value = values[metric] if metric == "combined" or higher_is_better(metric) else -values[metric]
    return value if math.isfinite(value) else -math.inf
