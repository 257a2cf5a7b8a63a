"""The columns of each data set that the tasks of a spec read."""

from __future__ import annotations

from typing import NamedTuple

from runner.spec.read import Spec


class Columns(NamedTuple):
    """Inputs and targets in the order of the tasks; those in `nested` may be lists, targets also tables."""

    inputs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()


def columns(spec: Spec) -> dict[str, Columns]:
    """By data set."""
    used: dict[str, Columns] = {}
    for task in spec.experiment.tasks.values():
        for name in task.data:
            before = used.get(name, Columns())
            more = (task.inputs, (task.target,), (task.target,) * task.nested + task.inputs * (task.level == "token"))
            used[name] = Columns(*(tuple(dict.fromkeys([*a, *b])) for a, b in zip(before, more, strict=True)))
    return used
