"""Check what a data set's preparation asks of its tasks: their types, and the classes that are balanced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.data.faults import counted
from runner.data.load import Loaded
from runner.plan.columns import Columns
from runner.plan.faults import Faults
from runner.spec.read import Spec
from runner.spec.tables import Data


def preparation(spec: Spec, used: Mapping[str, Columns], faults: Faults) -> None:
    """Everything about `clean`, `balance` and `augment` that can be known without the rows."""
    for name, (_, targets, _) in used.items():
        if name in spec.experiment.data:
            files(spec, name, faults)
            tasks(spec, name, faults)
            places(spec, name, faults)
            mixed(spec, name, faults)
            classes(spec, name, targets, faults)


def files(spec: Spec, name: str, faults: Faults) -> None:
    """A cleaner works on files: a split that is taken out of another one has none of its own."""
    rules = spec.experiment.data[name].rules
    for place, part in enumerate(spec.experiment.data[name].clean):
        for index, split in enumerate(getattr(part, "files", None) or []):
            if split in rules:
                message = f"`{split}` has no file of its own: its rows are cleaned with those of `{rules[split].from_}`"
                where = ("data", name, "clean", place, "files", index)
                faults.add("files", where, message, f'write "{rules[split].from_}", or name a file for it', "value")


def remarks(name: str, data: Data, loaded: Loaded, faults: Faults) -> None:
    """What the rows say that is no fault."""
    for target, labels in loaded.lost.items():
        for label, rows in labels.items():
            message = f"label `{label}` of `{target}` is gone: cleaning drops all of its {counted(rows, 'row')}"
            hint = "look at what goes by `runner data`; loosen the cleaner, or take the label out"
            faults.add("labels", ("data", name, "clean"), message, hint, severity="warning")
    idle(name, data, loaded, faults)
    asked = data.leakage == "warn" or isinstance(data.sample, int)
    for facts in loaded.account if asked else ():
        if facts["step"].startswith("leakage"):
            for reason, count in facts["flagged"].items():
                message = f"{count:,} of {facts['rows']:,} rows of `{facts['split']}` are {reason}"
                hint = 'write `leakage = "drop"`, or look at them by `runner data`'
                faults.add("leakage", ("data", name, "leakage"), message, hint, severity="warning")
        if facts["step"] == "sample" and isinstance(data.sample, int) and facts["rows"] < data.sample:
            message = f"train has {facts['rows']:,} rows, fewer than the sample of {data.sample:,}: all are taken"
            faults.add("sample", ("data", name, "sample"), message, "", "value", severity="warning")


def idle(name: str, data: Data, loaded: Loaded, faults: Faults) -> None:
    """An augmentation that makes no row is told, and not taken for one that does not help."""
    making = [place for place, part in enumerate(data.augment) if part.kind != "mixup"]
    found = [facts for facts in loaded.account if facts["stage"] == "augment"] if making else []
    for place, facts in zip(making, found, strict=False):  # none are found where models have not written yet
        if not facts["made"]:
            why = ", ".join(f"{count:,} {reason}" for reason, count in facts["refused"].items())
            message = f"`{facts['step']}` makes no row out of {counted(facts['rows'], 'row')}" + (
                f": {why}" if why else ""
            )
            hint = "no text changes, or becomes one that is not there yet: leave it out, or give it other fields"
            faults.add("augment", ("data", name, "augment", place), message, hint, severity="warning")


def tasks(spec: Spec, name: str, faults: Faults) -> None:
    """An augmentation must leave the targets of every task true."""
    for place, part in enumerate(spec.experiment.data[name].augment):
        for task_name, task in spec.experiment.tasks.items():
            why = part.unfit(task) if name in task.data else ""  # type: ignore[attr-defined]
            if why:
                faults.add(
                    "augment",
                    ("data", name, "augment", place),
                    f"`{part.kind}` does not fit the {task.kind} task `{task_name}`: {why}",
                    "leave it out, or put the task on a data set of its own",
                )


def places(spec: Spec, name: str, faults: Faults) -> None:
    """A cleaner that mends texts moves the words that targets name."""
    for place, part in enumerate(spec.experiment.data[name].clean):
        for task_name, task in spec.experiment.tasks.items():
            works_on = getattr(part, "columns", None) or task.inputs
            if name in task.data and task.level == "token" and part.changes and set(works_on) & set(task.inputs):  # type: ignore[attr-defined]
                message = f"`{part.kind}` changes texts, and the targets of `{task_name}` name places in them"
                hint = "clean the files before, or leave the cleaner out"
                faults.add("clean", ("data", name, "clean", place), message, hint)


def mixed(spec: Spec, name: str, faults: Faults) -> None:
    """The examples of a batch are mixed once."""
    places = [at for at, part in enumerate(spec.experiment.data[name].augment) if part.kind == "mixup"]
    for place in places[1:]:
        faults.add("augment", ("data", name, "augment", place), "`mixup` stands twice", "leave one of them out")


def mixups(data: Mapping[str, Data]) -> dict[str, Any]:
    """The mixup of each data set that asks for it: it makes no rows, training does it, so no stage knows of it."""
    return {name: part for name, each in data.items() for part in each.augment if part.kind == "mixup"}


def classes(spec: Spec, name: str, targets: Sequence[str], faults: Faults) -> None:
    """Balancing needs one column of classes; weights in the loss need it to be a target without other weights."""
    data = spec.experiment.data[name]
    if data.balance is not None and data.balance_by is None and len(targets) > 1:
        listed = ", ".join(f"`{each}`" for each in targets)
        hint = f"write `balance_by`, one of {listed}"
        faults.add("balance", ("data", name, "balance"), "the tasks have several targets", hint)
    elif data.balance == "class_weights":
        for task_name, task in spec.experiment.tasks.items():
            if name in task.data and getattr(task, "class_weights", "none") != "none":
                message = f"`{task_name}` has `class_weights` of its own"
                faults.add("balance", ("data", name, "balance"), message, "leave one of them out", "value")


def weighed(spec: Spec, task: str) -> bool:
    """Whether a data set asks for weights in the loss of this task."""
    head = spec.experiment.tasks[task]
    sets = [spec.experiment.data[name] for name in head.data]
    return any(data.balance == "class_weights" and data.balance_by in (None, head.target) for data in sets)
