"""Checked spec -> Plan: the very steps that a run carries out, each with the fingerprint of what it reads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner import __version__
from runner.cache.cache import Cache, fingerprint
from runner.data.encode import sequences
from runner.parts.mixing._mixes import mixes
from runner.parts.mixing.proportional import Proportional
from runner.parts.tasks._task import Task
from runner.plan.check import Checked
from runner.plan.depth import told
from runner.plan.kept import STAGE, Kept
from runner.plan.preparation import mixups, weighed
from runner.plan.selection import terms
from runner.plan.streams import Streams, recipe_of, streams_of, tokens_of
from runner.spec.tables import Selection, Train

NOTHING = Kept()
# What of `[train]` changes how the same weights come about, and so no key.
ONLY_HOW = ("gradient_checkpointing", "strategy", "devices")


@dataclass(frozen=True)
class Step:
    """One stage: `key` is the hash of everything it reads; `reason` says why it is done or not."""

    name: str
    key: str
    inputs: tuple[str, ...]
    cached: bool
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """One run to be: a seed and its steps; `run` names its folder and its rows in the store."""

    run: str
    seed: int
    key: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """What will happen; `kept` is what of frozen layers is computed once, and why it is, or is not."""

    checked: Checked
    trials: tuple[Trial, ...]
    streams: Streams
    kept: Kept = NOTHING

    @property
    def key(self) -> str:
        """Identity of the whole plan."""
        return fingerprint([trial.key for trial in self.trials])


def compile(checked: Checked, cache: Cache, kept: Kept = NOTHING) -> Plan:
    """The plan of a checked spec, and of what was settled about its frozen layers."""
    streams, seeds = streams_of(checked), checked.spec.experiment.all_seeds
    prepared = data_steps(checked)
    encoded = encode_steps(checked, streams, prepared, cache)
    weights = checked.base.key(cache)
    steps = (*prepared, *encoded, *activate_steps(kept, cache))
    return Plan(checked, tuple(trial(checked, seed, steps, weights) for seed in seeds), streams, kept)


def data_steps(checked: Checked) -> list[Step]:
    """Preparation: done by the time a spec is checked, since the check looks at the rows; models write theirs later."""
    steps = []
    for name, loaded in checked.loaded.items():
        before: tuple[str, ...] = ()
        for stage in loaded.stages:
            step, first = stage.step(name), stage.stage == "clean"
            made = stage.entry is not None
            detail = detail_of(stage.account) if made else {"rows at most": stage.most}
            reason = "done by the check" if made else "a model writes the rows when `run` or `data` needs them"
            steps.append(Step(step, stage.key, () if first else before, made, reason, detail))
            before = (*before, step) if first else (step,)
    return steps


def detail_of(account: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a stage did, step by step, with the sums of what it changed, dropped and made."""
    first = {facts["split"]: facts["rows"] for facts in reversed(account)}
    found: dict[str, Any] = {"rows": sum(first.values())} if account else {}
    for word in ("changed", "dropped", "flagged", "made"):
        counts = [facts[word] for facts in account]
        total = sum(sum(count.values()) if isinstance(count, dict) else count for count in counts)
        found |= {word: total} if total else {}
    return found


def encode_steps(checked: Checked, streams: Streams, done: Sequence[Step], cache: Cache) -> list[Step]:
    """Tokens of each stream and split."""
    steps = []
    for each in tokens_of(checked, streams, cache):
        hit = cache.find("encode", each.key) is not None
        reason = cache.explain("encode", each.key, each.inputs)
        last = next(step.name for step in reversed(done) if step.name.split(" ")[1] == each.data)
        name = f"encode {each.stream} {each.split}"
        steps.append(Step(name, each.key, (last,), hit, reason, {"rows": each.rows}))
    return steps


def activate_steps(kept: Kept, cache: Cache) -> Iterator[Step]:
    """What frozen layers say of each stream and split, where that is kept."""
    for (stream, split), each in kept.vectors.items():
        hit = cache.find(STAGE, each.key) is not None
        reason = cache.explain(STAGE, each.key, each.inputs)
        detail = {"rows": each.tokens.rows, "bytes": kept.bytes[stream, split]}
        name = f"{stream} {split}"
        yield Step(f"{STAGE} {name}", each.key, (f"encode {name}",), hit, reason, detail)


def trial(checked: Checked, seed: int, before: tuple[Step, ...], weights: str) -> Trial:
    """The steps of one seed. Names, descriptions, paths and `[execute]` never enter its key."""
    experiment = checked.spec.experiment
    reads: dict[str, Any] = {"evaluate": experiment.evaluate.used(), "train": experiment.train.used()}
    for elsewhere in ("checkpoint_minutes", "loss_balance", "balance_rate", *ONLY_HOW):
        reads["train"].pop(elsewhere, None)
    del reads["evaluate"]["require"]
    reads["tasks"] = {name: task_read(task) for name, task in experiment.tasks.items()}
    reads |= {"mixing": experiment.mixing and experiment.mixing.used()} | balance(experiment.train)
    adapter = experiment.model.adapter
    settings = experiment.model.used() | {"adapter": adapter and adapter.used()}
    del settings["base"], settings["revision"]
    data = {name: loaded.fingerprint for name, loaded in checked.loaded.items()}
    by_weight = [name for name in experiment.tasks if weighed(checked.spec, name)]
    reads |= {"class_weights": by_weight} if by_weight else {}
    mixed = {name: part.model_dump(mode="json") for name, part in mixups(experiment.data).items()}
    reads |= {"mixup": mixed} if mixed else {}
    chosen = terms(experiment)
    reads |= {"selection": chosen} if chosen != terms(experiment.model_copy(update={"selection": Selection()})) else {}
    version = __version__.split(".")[0]
    key = fingerprint({**reads, "model": settings, "weights": weights, "data": data, "seed": seed, "version": version})
    encoded = tuple(step.name for step in before if step.name.split(" ")[0] in ("encode", "activate"))
    train = Step("train", fingerprint(["train", key]), encoded, False, f"seed {seed}", work(checked))
    evaluate = Step("evaluate", fingerprint(["evaluate", key]), ("train",), False, "best checkpoint, once")
    writing = [name for name, task in experiment.tasks.items() if getattr(task, "generate", None)]
    generate = Step("generate", fingerprint(["generate", key]), ("train",), False, f"texts of {', '.join(writing)}")
    export = Step("export", fingerprint(["export", key]), ("train",), False, "a folder that transformers loads")
    last = (evaluate, generate, export) if writing else (evaluate, export)
    return Trial(f"{experiment.name}-s{seed}-{key[:8]}", seed, key, (*before, train, *last))


def balance(train: Train) -> dict[str, Any]:
    """What a trial reads of how losses are balanced; nothing where their weights are fixed."""
    if train.loss_balance == "uncertainty":
        return {"balance": [train.loss_balance, train.balance_rate]}
    return {} if train.loss_balance == "fixed" else {"balance": [train.loss_balance]}


def task_read(task: Task) -> dict[str, Any]:
    """What of a task decides a trial."""
    return task.used() | ({"version": task.version} if task.version > 1 else {})


def work(checked: Checked) -> dict[str, Any]:
    """Batches and optimizer steps of training."""
    train = checked.spec.experiment.train
    sizes = [
        sequences(checked.loaded[data].splits["train"], recipe_of(checked, tasks))
        for data, _, tasks in streams_of(checked).values()
    ]
    together = mixes(checked.spec.experiment.mixing)
    batches = -(-sum(sizes) // train.batch_size) if together else sum(-(-size // train.batch_size) for size in sizes)
    steps = math.ceil(batches / train.accumulate) * train.epochs
    found = {"rows": sum(sizes), "batches_per_epoch": batches, "steps": min(steps, train.max_steps or steps)}
    experiment = checked.spec.experiment
    mixed = ", ".join(f"{name} alpha {part.alpha:g}" for name, part in mixups(experiment.data).items())
    heavy = ", ".join(
        name
        for name, task in experiment.tasks.items()
        if weighed(checked.spec, name) or getattr(task, "class_weights", "none") != "none"
    )
    freeze = experiment.model.freeze
    balanced = "" if train.loss_balance == "fixed" else train.loss_balance
    also = {"mixup": mixed, "class weights": heavy, "loss balance": balanced, "batches": "mixed" if together else ""}
    also |= {"frozen": told(freeze)} if freeze else {}
    also |= {"processes": f"{train.devices} by {train.strategy}"} if train.strategy else {}
    return found | {name: words for name, words in also.items() if words}


def mixing_of(checked: Checked) -> Any:
    """The mixing as written, or the default."""
    return checked.spec.experiment.mixing or Proportional()
