"""Activating: the streams of a trial with what its frozen layers say of every row, from the cache or computed now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.plan.frozen import activate_key
from runner.plan.machine import known_bf16
from runner.run.work import Work


def activated(work: Work, network: Any, streams: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same streams, with the vectors that the plan says are kept; the network then reads them."""
    kept = work.plan.kept
    if kept is None:
        return streams
    from runner.model.activations import FILE, Computed, known
    from runner.model.precision import resolved

    experiment, checked = work.experiment, work.checked
    train, execute = experiment.train, experiment.execute
    arithmetic = resolved(train.precision, execute.accelerator)
    given = (checked.base.hidden, experiment.evaluate.batch_size, arithmetic, execute.accelerator)
    computed = Computed(network, kept.level, kept.layers, *given)
    first = next(iter(streams["train"].values()))
    if not computed.holds(first, checked.base.padding):
        return streams
    weights = checked.base.key(work.cache)
    found: dict[str, dict[str, Any]] = {split: {} for split in streams}
    listed = [(split, name, stream) for split, named in streams.items() for name, stream in named.items()]
    for split, name, stream in listed:
        tokens = next(step.key for step in work.trial.steps if step.name == f"encode {name} {split}")
        key, why = activate_key(checked, kept, weights, tokens, {"bf16": known_bf16()})

        def build(entry: Path, stream: Any = stream) -> Mapping[str, Any]:
            computed.write(stream, checked.base.padding, entry / FILE, wide=train.precision != "bf16")
            return {"rows": len(stream)}

        with work.stage(f"activate {name} {split}", len(stream)):
            entry = work.cache.make("activate", key, build, why)
        found[split][name] = replace(stream, known=known(entry / FILE, kept.level))
    network.known, network.cut = kept.level, kept.layers
    return found
