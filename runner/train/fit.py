"""One fit: from the last saved state, or the beginning, to the best checkpoint."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from runner.errors import RunnerError
from runner.kinds import Part
from runner.model.network import Network
from runner.model.precision import lightning_word
from runner.model.stream import Stream
from runner.spec.tables import Experiment
from runner.train import state
from runner.train.average import Running
from runner.train.keep import Keep
from runner.train.module import Feed, Module
from runner.train.progress import Progress

Record = Callable[..., None]


def fit(
    network: Network,
    experiment: Experiment,
    streams: Mapping[str, Mapping[str, Stream]],
    labels: Mapping[str, Sequence[str]],
    class_weights: Mapping[str, list[float] | None],
    mixing: Part,
    *,
    seed: int,
    pad_id: int,
    folder: Path,
    record: Record,
    stop: threading.Event,
    show: bool = True,
) -> tuple[pl.Trainer, Module, Feed]:
    """Train to the end and leave the network with the weights of the best epoch.

    `streams[split][name]` are the encoded rows. States go to `folder`; where one is there, training goes on from it
    and ends with the same bits as if it had never stopped. Raises Interrupted after saving when `stop` is set.
    """
    feed = Feed(experiment, streams, mixing, seed, network, pad_id)
    module = Module(network, experiment, class_weights, seed, feed)
    rule = experiment.train.average
    keep = Keep(folder, streams["validation"], labels, record, stop, Running(rule) if rule else None)
    saved = state.load(folder / "state.pt")
    if saved is not None and (saved["best_epoch"] < 0 or state.load(best_file(folder)) is not None):
        keep.restore(saved, module)
    left = feed.epochs - feed.first_epoch
    trainer = pl.Trainer(
        max_epochs=left,
        accelerator=experiment.execute.accelerator,
        devices=1,
        precision=lightning_word(experiment.train.precision, experiment.execute.accelerator),
        accumulate_grad_batches=experiment.train.accumulate,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[keep, *([Progress(feed.steps)] if show else [])],
    )
    if left > 0 and not keep.stopped:
        trainer.fit(module, datamodule=feed)
    load_best(network, folder)
    return trainer, module, feed


def best_file(folder: Path) -> Path:
    """Where the weights of the best epoch lie; a state without them is of no use."""
    return folder / "best" / "best.pt"


def load_best(network: Network, folder: Path) -> None:
    """Put the weights of the best epoch into the network."""
    best: dict[str, Any] | None = state.load(best_file(folder))
    if best is None:
        raise RunnerError(f"no best checkpoint in `{folder}`", "run the experiment again")
    network.load_state_dict(best["weights"], strict=False)


def quiet() -> None:
    """Keep lightning's hints and notices off the terminal."""
    import logging
    import warnings

    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
