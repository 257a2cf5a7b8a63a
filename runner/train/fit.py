"""One fit: from the last saved state, or the beginning, to the best checkpoint."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from runner.errors import RunnerError
from runner.kinds import Part
from runner.model.compiled import compiled
from runner.model.network import Network
from runner.model.recompute import recompute
from runner.model.stream import Stream
from runner.spec.tables import Experiment
from runner.train import state
from runner.train.average import Running
from runner.train.feed import Feed
from runner.train.keep import Keep
from runner.train.module import Module
from runner.train.progress import Progress
from runner.train.ranks import ALONE, Ranks
from runner.train.strategy import told

Record = Callable[..., None]
PLAIN: dict[str, Any] = {
    "reload_dataloaders_every_n_epochs": 1,
    "num_sanity_val_steps": 0,
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


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
    ranks: Ranks = ALONE,
) -> tuple[pl.Trainer, Module, Feed]:
    """Train to the end and leave the network with the weights of the best epoch.

    `streams[split][name]` are the encoded rows. States go to `folder`; where one is there, training goes on from it
    and ends with the same bits as if it had never stopped. Raises Interrupted after saving when `stop` is set.
    Where several processes train, each of which calls this, the network is of no more use; see `fitted`.
    """
    train = experiment.train
    feed = Feed(experiment, streams, mixing, seed, network, pad_id, ranks)
    module = Module(network, experiment, class_weights, seed, feed)
    rule = train.average
    keep = Keep(folder, streams["validation"], labels, record, stop, Running(rule) if rule else None, ranks)
    saved = state.load(folder / "state.pt")
    if saved is not None and (saved["best_epoch"] < 0 or state.load(best_file(folder)) is not None):
        keep.restore(saved, module)
    left = feed.epochs - feed.first_epoch
    trainer = pl.Trainer(
        max_epochs=left,
        accumulate_grad_batches=feed.accumulate,
        callbacks=[keep, *([Progress(feed.steps)] if show else [])],
        **told(experiment, ranks),
        **PLAIN,
    )
    if left > 0 and not keep.stopped:
        if train.gradient_checkpointing:
            recompute(network)
        if ranks.strategy == "ddp":
            for each in network.trainable().values():
                each.requires_grad_()  # what thaws later must be known from the start; each epoch begins with its rest
        with compiled(network) if train.compile else nullcontext():
            trainer.fit(module, datamodule=feed)
    module.taken = trainer.global_step
    if ranks.size == 1:
        load_best(network, folder)
    return trainer, module, feed


def fitted(
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
) -> tuple[pl.Trainer, Module, Feed]:
    """The same of a fit that other processes have done: here the network only answers, in this process alone."""
    feed = Feed(experiment, streams, mixing, seed, network, pad_id)
    module = Module(network, experiment, class_weights, seed, feed)
    load_best(network, folder)
    return pl.Trainer(**told(experiment, ALONE), **PLAIN), module, feed


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
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing. is deprecated")  # peft asks for it
    warnings.filterwarnings("ignore", module="lightning")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
    warnings.filterwarnings("ignore", message=".*find_unused_parameters=True.*")
