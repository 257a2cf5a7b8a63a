"""Frozen: what of the trunk never learns, and whether its activations are computed once and kept for all epochs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.cache.cache import Cache, fingerprint
from runner.plan.check import Checked
from runner.spec.tables import Experiment, Fresh

VERSION = 1
DISK = 0.2  # of what is free may be filled


@dataclass(frozen=True)
class Frozen:
    """The lowest layers that rest for good, and what of them the rest reads: vectors of a text, a token, or a layer."""

    layers: int
    level: str

    @property
    def told(self) -> str:
        """In words."""
        what = {"text": "a vector a text", "token": "a vector a token"}
        return what.get(self.level, f"a vector a token after layer {self.layers}")


def frozen(experiment: Experiment, layers: int) -> Frozen | None:
    """What rests below all that learns; None where nothing does, or its output is not the same in each epoch."""
    model, freeze = experiment.model, experiment.model.freeze
    if freeze is None or freeze.thaw is not None or model.adapter is not None or model.quantise is not None:
        return None
    levels = {task.level for task in experiment.tasks.values()}
    if isinstance(model.base, Fresh) or model.reinitialise or not levels <= {"text", "token"}:
        return None
    if not (freeze.embeddings or freeze.layers == "all"):
        return None
    below = layers if freeze.layers == "all" else min(freeze.layers, layers)
    if below == layers:
        return Frozen(layers, "text" if levels == {"text"} and model.pooling != "attention" else "token")
    return Frozen(below, "layer") if below else None


def shared(checked: Checked, trials: int, cache: Cache) -> tuple[Frozen | None, str]:
    """What is kept, and why, or why nothing is; `trials` read the same."""
    experiment = checked.spec.experiment
    found = frozen(experiment, checked.base.layers)
    if found is None:
        return None, ""
    reason = obstacle(experiment, found)
    if reason:
        return None, reason
    passes = trials * experiment.train.epochs
    if passes < 2:
        return None, "one epoch of one trial reads them once"
    room, free = size(checked, found), shutil.disk_usage(existing(cache)).free
    if room > DISK * free:
        return None, f"they would take {room / 2**30:.1f} GiB, more than a fifth of the free disk"
    return found, f"read {passes} times, computed once: {found.told}, {room / 2**20:.0f} MiB"


def obstacle(experiment: Experiment, found: Frozen) -> str:
    """What speaks against it, whatever it costs."""
    train = experiment.train
    if experiment.execute.share == "off":
        return '`share = "off"`'
    if train.strategy is not None:
        return f"`{train.strategy}` shares the work otherwise"
    if found.level == "layer" and (train.compile or train.gradient_checkpointing or not train.packing):
        return "layers are left out where they compute packed, not compiled, and once"
    return ""


def size(checked: Checked, found: Frozen) -> int:
    """Bytes of the vectors of all splits, about."""
    experiment, rows = checked.spec.experiment, 0
    for loaded in checked.loaded.values():
        rows += sum(loaded.rows.values())
    each = 1 if found.level == "text" else experiment.model.max_length // 2
    return rows * each * checked.base.hidden * (2 if experiment.train.precision == "bf16" else 4)


def existing(cache: Cache) -> Any:
    """The folder of the cache, or the nearest above it that there is."""
    return next(each for each in (cache.folder.absolute(), *cache.folder.absolute().parents) if each.exists())


def activate_key(
    checked: Checked, found: Frozen, weights: str, tokens: str, machine: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Key and inputs of the vectors of one stream and split."""
    experiment = checked.spec.experiment
    why = {
        "tokens": tokens,
        "weights": weights,
        "level": found.level,
        "layers": found.layers,
        "pooling": experiment.model.pooling if found.level == "text" else "",
        "precision": experiment.train.precision,
        "accelerator": experiment.execute.accelerator,
        "machine": dict(machine),
        "version": VERSION,
    }
    return fingerprint({"stage": "activate", **why}), why
