"""The weight of each class in the loss of a task, as the task or the balance of its data asks."""

from __future__ import annotations

from collections.abc import Mapping

from runner.plan.check import Checked
from runner.plan.preparation import weighed


def weights(checked: Checked, task: str) -> dict[str, float] | None:
    """Weight by label, in the order of the head's outputs; None where all count alike."""
    part = checked.spec.experiment.tasks[task]
    if weighed(checked.spec, task):
        part = part.model_copy(update={"class_weights": "balanced"})
    labels, train = checked.labels[task], checked.counts[task].get("train", {})
    found = part.weights({label: train.get(label, 0) for label in labels})
    return None if found is None else dict(zip(labels, found, strict=True))


def weights_over(checked: Checked, data: str) -> Mapping[str, dict[str, float]]:
    """The weights of the tasks over a data set that have some, by task."""
    tasks = [name for name, task in checked.spec.experiment.tasks.items() if data in task.data]
    return {name: found for name in tasks if (found := weights(checked, name)) is not None}
