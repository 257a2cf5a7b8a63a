"""What a spec asks of the layers of its model, against the layers that the model has."""

from __future__ import annotations

from runner.plan.base import Base
from runner.plan.depth import apart
from runner.plan.faults import Faults, Where
from runner.spec.read import Spec


def transfer(spec: Spec, base: Base, faults: Faults) -> None:
    """Layers that are frozen must be there, and what is frozen for a while must thaw before training ends."""
    for where, count in counted(spec).items():
        if count > base.layers:
            faults.add(
                "layers",
                where,
                f"`{where[-1]}` is {count}, but `{base.written}` has {base.layers} layers",
                f"write {base.layers} or less",
                "value",
            )
    for where in by_layer(spec):
        if not apart(base):
            faults.add(
                "layers",
                where,
                f"the layers of `{base.written}` have no weights of their own, so `{where[-1]}` can't tell them apart",
                "leave it out, or choose another model",
                "value",
            )
    overlap(spec, base, faults)
    thaws(spec, faults)


def counted(spec: Spec) -> dict[Where, int]:
    """Numbers of layers, by where they are written."""
    freeze, fresh = spec.experiment.model.freeze, spec.experiment.model.reinitialise
    found: dict[Where, int] = {("model", "reinitialise"): fresh}
    if freeze is not None and freeze.layers != "all":
        found["model", "freeze", "layers"] = freeze.layers
    return found


def by_layer(spec: Spec) -> list[Where]:
    """The settings that treat layers unequally."""
    slower: list[Where] = [("train", "layer_decay")] if spec.experiment.train.layer_decay < 1 else []
    return [*(where for where, count in counted(spec).items() if count), *slower]


def overlap(spec: Spec, base: Base, faults: Faults) -> None:
    """Fresh layers have to learn from the first epoch on."""
    freeze, fresh = spec.experiment.model.freeze, spec.experiment.model.reinitialise
    frozen = 0 if freeze is None else base.layers if freeze.layers == "all" else freeze.layers
    if fresh and fresh <= base.layers < frozen + fresh and frozen <= base.layers:
        faults.add(
            "layers",
            ("model", "reinitialise"),
            f"of {base.layers} layers the lowest {frozen} are frozen and the highest {fresh} fresh: some would be both",
            f"write {base.layers - frozen} or less, or freeze {base.layers - fresh} or less",
            "value",
        )


def thaws(spec: Spec, faults: Faults) -> None:
    """What thaws too late never does."""
    freeze, epochs = spec.experiment.model.freeze, spec.experiment.train.epochs
    if freeze is not None and freeze.thaw is not None and freeze.thaw > epochs:
        faults.add(
            "thaw",
            ("model", "freeze", "thaw"),
            f"`thaw` is epoch {freeze.thaw}, but training ends with epoch {epochs}",
            f"write {epochs} or less, or leave it out: then what is frozen stays so",
            "value",
        )
