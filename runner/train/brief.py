"""Brief: some steps as a fit takes them, of which nothing is kept; and what is watched meanwhile."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

import lightning.pytorch as pl

from runner.model.compiled import compiled
from runner.model.recompute import recompute
from runner.train.feed import Feed
from runner.train.fit import PLAIN
from runner.train.module import Module
from runner.train.ranks import ALONE
from runner.train.strategy import told


def brief(module: Module, feed: Feed, watch: pl.Callback, steps: int = -1) -> None:
    """Train for so many optimizer steps, or until `watch` stops it; the network is of no use afterwards."""
    train = module.experiment.train
    trainer = pl.Trainer(
        max_epochs=-1,
        max_steps=steps,
        accumulate_grad_batches=train.accumulate,
        limit_val_batches=0,
        callbacks=[watch],
        **told(module.experiment, ALONE),
        **PLAIN,
    )
    if train.gradient_checkpointing:
        recompute(module.network)
    with compiled(module.network) if train.compile else nullcontext():
        trainer.fit(module, datamodule=feed)


class Pace(pl.Callback):
    """Tokens per second of what follows the first optimizer step, over at least so many seconds and one batch."""

    def __init__(self, least: float) -> None:
        self.least, self.tokens, self.began, self.seconds = least, 0, 0.0, 0.0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        now = time.perf_counter()
        if not self.began:
            self.began = now if trainer.global_step else 0.0
            return
        self.tokens += int(batch.lengths.sum())
        self.seconds = now - self.began
        trainer.should_stop = self.seconds > self.least

    @property
    def speed(self) -> float:
        """Tokens per second."""
        return self.tokens / max(self.seconds, 1e-9)
