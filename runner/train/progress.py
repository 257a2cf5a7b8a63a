"""Progress: a live bar with the time left on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

import lightning.pytorch as pl


class Progress(pl.Callback):
    """Writes to stderr, so that stdout stays for results."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.live = sys.stderr.isatty()

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        self.began = self.shown = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        now = time.monotonic()
        if self.live and now - self.shown > 0.2 and trainer.global_step:
            self.shown = now
            done = module.first_step + trainer.global_step
            left = (now - self.began) / trainer.global_step * (self.total - done)
            bar = ("█" * (24 * done // self.total)).ljust(24, "·")
            loss = module.means([module.sums])["loss"]
            sys.stderr.write(f"\r  {bar} step {done}/{self.total}  loss {loss:.3f}  {left:.0f} s left \x1b[K")
            sys.stderr.flush()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:
        keep = next(each for each in trainer.callbacks if hasattr(each, "best_epoch"))  # type: ignore[attr-defined]
        shown = "  ".join(f"{name} {value:.3f}" for name, value in keep.values.items() if name.count(".") == 1)
        mark = "  (best)" if keep.best_epoch == module.epoch else ""
        sys.stderr.write(f"{chr(13) + chr(27) + '[K' if self.live else ''}  epoch {module.epoch + 1}: {shown}{mark}\n")
        sys.stderr.flush()
