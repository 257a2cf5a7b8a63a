"""Joint: which trials may go through one frozen base together, and whether that pays."""

from __future__ import annotations

from typing import Any, NamedTuple

from runner.data.encode import lengths
from runner.plan.check import Checked
from runner.plan.compile import Plan
from runner.plan.kept import SAMPLE
from runner.plan.streams import recipe_of
from runner.spec.tables import Experiment

MOST = 8  # trials in one process
FULL = 140  # tokens of a batch: with 129 sharing won 1.37 times, with 257 it no longer did: benchmarks/adapters.py


class Sharing(NamedTuple):
    """By what trials find each other, empty for those that stay alone, and why that is so."""

    key: str
    why: str


def sharing(plan: Plan) -> Sharing:
    """Whether a trial shares the passes of its base with others."""
    experiment = plan.checked.spec.experiment
    why = obstacle(experiment) or too_full(plan)
    return Sharing("" if why else key(plan.checked), why or "they differ in adapters and heads, and share the rest")


def key(checked: Checked) -> str:
    """What trials must have in common."""
    experiment = checked.spec.experiment
    return f"{checked.base.folder} {experiment.train.precision} {experiment.execute.accelerator}"


def obstacle(experiment: Experiment) -> str:
    """What speaks against it, whatever it costs; empty for nothing."""
    adapter: Any = experiment.model.adapter
    train, execute = experiment.train, experiment.execute
    tasks: Any = experiment.tasks.values()
    against = {
        '`[execute] share = "adapters"` does not ask for it': execute.share != "adapters",
        "no adapter by LoRA leaves the base as it is": getattr(adapter, "type", "") != "lora",
        "each task has an adapter of its own": bool(getattr(adapter, "per_task", False)),
        "limits of time and memory are those of one trial": execute.time_limit or execute.memory_limit,
        "several processes train each trial": train.strategy is not None,
        "its layers are compiled": train.compile,
        "its layers are computed twice": train.gradient_checkpointing,
        "its gradients are projected": train.loss_balance == "pcgrad",
        "its batches are padded": not train.packing,
        "its weights are quantised": experiment.model.quantise is not None,
        "its task compares with the base itself": any(task.refers or task.level == "reply" for task in tasks),
    }
    return next((why for why, holds in against.items() if holds), "")


def too_full(plan: Plan) -> str:
    """Says so where a batch has so many tokens that larger ones are no faster."""
    checked = plan.checked
    found = {name: checked.loaded[data].splits["train"] for name, (data, _, _) in plan.streams.items()}
    means = {
        name: lengths(table, recipe_of(checked, plan.streams[name][2]), SAMPLE).mean for name, table in found.items()
    }
    rows = {name: table.num_rows for name, table in found.items()}
    mean = sum(rows[name] * means[name] for name in rows) / max(sum(rows.values()), 1)
    many = mean * checked.spec.experiment.train.batch_size
    return f"a batch of {many:.0f} tokens keeps the cores busy by itself" if many > FULL else ""
