"""Activating: the streams of a trial with what its frozen layers say of every row, from the cache or computed now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.plan.kept import STAGE
from runner.run.work import Work

Streams = dict[str, dict[str, Any]]


def activated(work: Work, network: Any, streams: Streams) -> Streams:
    """The same streams, with the vectors that the plan says are kept; the network then reads them."""
    kept = work.plan.kept.frozen
    if kept is None:
        return streams
    from runner.model.activations import FILE, Computed, known
    from runner.model.precision import resolved

    experiment, padding = work.experiment, work.checked.base.padding
    train, execute = experiment.train, experiment.execute
    arithmetic = resolved(train.precision, execute.accelerator)
    given = (work.checked.base.hidden, experiment.evaluate.batch_size, arithmetic, execute.accelerator)
    computed = Computed(network, kept.level, kept.layers, *given)
    if not computed.holds(next(iter(streams["train"].values())), padding):
        return without(work, streams)
    found: Streams = {split: {} for split in streams}
    for (name, split), vectors in work.plan.kept.vectors.items():
        stream = streams[split][name]

        def build(entry: Path, stream: Any = stream) -> Mapping[str, Any]:
            computed.write(stream, padding, entry / FILE, wide=train.precision != "bf16")
            return {"rows": len(stream)}

        with work.stage(f"{STAGE} {name} {split}", len(stream)) as detail:
            entry = work.cache.make(STAGE, vectors.key, build, vectors.inputs)
            detail["bytes"] = (entry / FILE).stat().st_size
        found[split][name] = replace(stream, known=known(entry / FILE, kept.level))
    network.known, network.cut = kept.level, kept.layers
    return found


def without(work: Work, streams: Streams) -> Streams:
    """The streams as they are, and a record of why: the layers of this model can't be told apart so."""
    for name, split in work.plan.kept.vectors:
        with work.stage(f"{STAGE} {name} {split}", 0) as detail:
            detail |= {"bytes": 0, "left_out": "the layers above compute something else from these vectors"}
    return streams
