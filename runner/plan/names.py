"""Names in a spec that must refer to something: data sets, columns, metrics; and lists without repeats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runner import kinds
from runner.answers.choices import Choices
from runner.data.packages import installed
from runner.errors import did_you_mean
from runner.parts.mixing._mixes import mixes
from runner.parts.tasks._task import Task
from runner.plan.faults import Faults, Where
from runner.plan.preparation import mixups
from runner.plan.requirements import requirements
from runner.plan.selection import measured, selection
from runner.spec.read import Spec
from runner.spec.references import references

SHARED = ("combined", "loss")


def names(spec: Spec, faults: Faults) -> None:
    """Names that must refer to something, and lists without duplicates."""
    experiment = spec.experiment
    faults.found += references(experiment.written(), spec.places)
    for where, values in lists(spec):
        for index, value in enumerate(values):
            if value in values[:index]:
                faults.add(
                    "duplicate",
                    (*where, index),
                    f"`{value}` stands twice in `{where[-1]}`",
                    "leave one of them out",
                    "value",
                )
    for name, task in experiment.tasks.items():
        for index, metric in enumerate(task.metrics):
            part: Any = kinds.pick("metrics", metric)
            place: Where = ("tasks", name, "metrics", index)
            if not fits(part, task):
                message = f"`{metric}` does not fit a {task.kind} task"
                faults.add("metric", place, message, did_you_mean(metric, fitting(task)), "value")
            lacking(metric, place, faults)
    monitored(spec, faults)
    selection(spec, faults)
    requirements(spec, faults)
    balanced(spec, faults)
    alone(spec, faults)
    weights = getattr(experiment.mixing, "weights", None)
    if isinstance(weights, dict):
        for each in sorted(set(experiment.data) ^ set(weights)):
            what = "has no weight" if each in experiment.data else "is no data set"
            faults.add(
                "mixing", ("mixing", "weights"), f"`{each}` {what}", f"weigh each of: {', '.join(experiment.data)}"
            )


def alone(spec: Spec, faults: Faults) -> None:
    """Mixup pairs the examples of a batch, which must be of one data set."""
    for name in mixups(spec.experiment.data) if mixes(spec.experiment.mixing) else ():
        message = f'`mixup` of `{name}` pairs rows of one data set, and `batches = "mixed"` puts others beside them'
        faults.add("mixing", ("mixing", "batches"), message, 'write "separate", or leave `mixup` out', "value")


def fits(metric: Any, task: Task) -> bool:
    """Whether a metric scores the answers of a task; one that does not say what it reads scores labels."""
    return issubclass(task.shape, getattr(metric, "reads", Choices))


def fitting(task: Task) -> list[str]:
    """The metrics that score the answers of a task."""
    return [name for name in kinds.names("metrics") if fits(kinds.pick("metrics", name), task)]


def lacking(metric: str, where: Where, faults: Faults) -> None:
    """A metric whose package is not installed."""
    for package in getattr(kinds.pick("metrics", metric), "packages", ()):
        if installed(package) is None:
            message = f"`{metric}` needs the package `{package}`, which is not installed"
            faults.add("metric", where, message, "`pip install 'runner[text]'`", "value")


def lists(spec: Spec) -> Iterator[tuple[Where, list[Any]]]:
    """Lists of the spec in which a repeated value is a slip."""
    if spec.experiment.seeds:
        yield ("seeds",), spec.experiment.seeds
    if spec.experiment.evaluate.by:
        yield ("evaluate", "by"), spec.experiment.evaluate.by
    for name, task in spec.experiment.tasks.items():
        for key in ("data", "metrics", "labels"):
            values = getattr(task, key, None)
            if values:
                yield ("tasks", name, key), values


def balanced(spec: Spec, faults: Faults) -> None:
    """Losses are balanced between tasks, and gradients are projected among the tasks of one optimizer step."""
    experiment, train = spec.experiment, spec.experiment.train
    where = ("train", "loss_balance")
    if train.loss_balance != "fixed" and len(experiment.tasks) == 1:
        message = f"`{train.loss_balance}` has but one task: there is nothing to balance"
        faults.add("balance", where, message, 'write "fixed", or add a task', "value")
    elif train.loss_balance == "pcgrad" and train.accumulate == 1 and not mixes(experiment.mixing):
        streams = [(data, task.inputs) for task in experiment.tasks.values() for data in task.data]
        if len(streams) == len(set(streams)):
            message = "no two tasks ever meet in one optimizer step: `pcgrad` would project nothing"
            hint = 'write `accumulate` = 2 or more in [train], or `batches` = "mixed" in [mixing]'
            faults.add("balance", where, message, hint, "value")


def monitored(spec: Spec, faults: Faults) -> None:
    """The metrics that choose the checkpoint and stop training must exist."""
    experiment = spec.experiment
    allowed = [*SHARED, *measured(experiment)]
    wanted: dict[Where, str] = {("train", "select_by"): experiment.train.select_by}
    if experiment.train.early_stopping is not None:
        wanted["train", "early_stopping", "metric"] = experiment.train.early_stopping.metric
    if experiment.search is not None:
        several = isinstance(experiment.search.objective, list)
        for place, name in enumerate(experiment.search.objectives):
            wanted["search", "objective", *((place,) if several else ())] = name
        wanted |= {("search", "constraints", name): name for name in experiment.search.constraints}
    for where, metric in wanted.items():
        if metric not in allowed and not (where[0] == "search" and metric == "seconds"):
            faults.add(
                "unknown-metric", where, f"no metric `{metric}` is measured", did_you_mean(metric, allowed), "value"
            )
