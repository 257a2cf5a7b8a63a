"""Frozen: what of the trunk never learns, and what its activations, kept for all epochs, are known by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.cache.cache import fingerprint
from runner.plan.check import Checked
from runner.spec.tables import Experiment, Fresh

VERSION = 2


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
    """What rests below all that learns; None where nothing does."""
    model, freeze = experiment.model, experiment.model.freeze
    if freeze is None or not (freeze.embeddings or freeze.layers == "all"):
        return None
    below = layers if freeze.layers == "all" else min(freeze.layers, layers)
    if below < layers:
        return Frozen(below, "layer") if below else None
    by_text = all(task.level == "text" for task in experiment.tasks.values()) and model.pooling != "attention"
    return Frozen(layers, "text" if by_text else "token")


def obstacle(experiment: Experiment, found: Frozen | None) -> str:
    """Why nothing of what is frozen can be kept, whatever it costs; empty where it can, or where nothing is frozen."""
    model, train, freeze = experiment.model, experiment.train, experiment.model.freeze
    if freeze is None:
        return ""
    if experiment.execute.share == "off":
        return '`share = "off"`'
    if freeze.thaw is not None:
        return f"what is frozen learns from epoch {freeze.thaw} on"
    for name, task in experiment.tasks.items():
        if task.level not in ("text", "token"):
            hides = f"what `{name}` hides of a text is another in each epoch"
            return hides if task.speaks == "masked" else f"`{name}` models language, and reads more than vectors"
    if isinstance(model.base, Fresh):
        return "the seed draws the weights"
    if found is None:
        return "the embeddings below learn" if freeze.layers else "embeddings alone take no time to compute"
    if train.strategy is not None:
        return f"`{train.strategy}` shares the work otherwise"
    if found.level == "layer" and (train.compile or train.gradient_checkpointing or not train.packing):
        return "layers are left out where they compute packed, not compiled, and once"
    return ""


def activate_key(
    checked: Checked, found: Frozen, weights: str, tokens: str, machine: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Key and inputs of the vectors of one stream and split: all that decides their bits, batches included."""
    experiment = checked.spec.experiment
    why = {
        "tokens": tokens,
        "weights": weights,
        "level": found.level,
        "layers": found.layers,
        "pooling": experiment.model.pooling if found.level == "text" else "",
        "precision": experiment.train.precision,
        "packing": experiment.train.packing,
        "batch_size": experiment.evaluate.batch_size,
        "accelerator": experiment.execute.accelerator,
        "machine": dict(machine),
        "version": VERSION,
    }
    return fingerprint({"stage": "activate", **why}), why
