"""The columns of each data set that the tasks of a spec read."""

from __future__ import annotations

from typing import NamedTuple

from runner.answers.choices import Choices
from runner.spec.read import Spec


class Columns(NamedTuple):
    """Inputs and targets in the order of the tasks; those in `nested` may be lists, targets also tables.

    The values of targets in `classes` are single labels.
    """

    inputs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


def columns(spec: Spec) -> dict[str, Columns]:
    """By data set."""
    used: dict[str, Columns] = {}
    for task in spec.experiment.tasks.values():
        for name in task.data:
            before = used.get(name, Columns())
            target = (task.target,)
            lists = target * task.nested + task.inputs * (task.level == "token")
            more = (task.inputs, target, lists, target * (task.shape is Choices))
            used[name] = Columns(*(tuple(dict.fromkeys([*a, *b])) for a, b in zip(before, more, strict=True)))
    return used
