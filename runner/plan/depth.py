"""Where in the trunk a weight lies, told by its name, and so which weights rest in which epoch."""

from __future__ import annotations

import re

from runner.plan.base import HEADS, Base
from runner.spec.tables import Freeze

LAYER = re.compile(r"(?:^|\.)(?:layer|layers|h|block|blocks)\.(\d+)\.")
TOP = re.compile(r"(?:^|\.)(?:final_\w+|ln_f|norm)\.")


def depth(name: str, layers: int) -> int:
    """1 for the lowest of the `layers`, 0 for embeddings and what all layers share, one more for a language head.

    A last norm is of the highest layer.
    """
    if name.startswith((*HEADS, "prompt_encoder.")):
        return layers + 1
    found = LAYER.search(name)
    if found:
        return int(found[1]) + 1
    return layers if TOP.search(name) and "embed" not in name else 0


def apart(base: Base) -> bool:
    """Whether each layer has weights of its own; ALBERT's layers share theirs."""
    return {depth(name, 0) for name in base.shapes} >= set(range(1, base.layers + 1))


def rests(freeze: Freeze | None, layer: int, layers: int, epoch: int | None) -> bool:
    """Whether the weights of a layer rest in an epoch, counted from 1; with None, whether they rest in all of them."""
    if freeze is None or (epoch is None and freeze.thaw is not None):
        return False
    below = layers if freeze.layers == "all" else freeze.layers
    embeddings = freeze.embeddings or freeze.layers == "all"
    if freeze.thaw is not None and epoch is not None and epoch >= freeze.thaw:
        if freeze.thaw_by == "all":
            return False
        below -= epoch - freeze.thaw + 1
        embeddings = embeddings and below >= 0
    return layer <= below if layer else embeddings


def told(freeze: Freeze) -> str:
    """What is frozen, and how long, in words."""
    layers = {0: "", "all": "the whole trunk"}.get(freeze.layers, f"layers 1 to {freeze.layers}")
    what = "embeddings" if freeze.embeddings and freeze.layers != "all" else ""
    how = "" if freeze.thaw is None else f" until epoch {freeze.thaw}"
    slowly = ", then one layer less an epoch" if freeze.thaw_by == "layer" else ""
    return " and ".join(each for each in (what, layers) if each) + how + slowly
