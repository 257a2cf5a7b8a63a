"""Selection: which metrics make `combined`, the weighted mean that chooses the checkpoint, and how each enters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from runner import kinds
from runner.errors import did_you_mean
from runner.plan.faults import Faults
from runner.spec.read import Spec
from runner.spec.tables import Experiment

TRANSFORMS: dict[str, Callable[[float], float]] = {
    "complement": lambda distance: 1 - distance,
    "inverse": lambda distance: 1 / (1 + distance),
    "negative_exp": lambda distance: math.exp(-distance),
}
DEFAULT = "inverse"
LOSS = "loss"


class Term(NamedTuple):
    """One metric of `combined`; `transform` is empty where its value enters as it is."""

    name: str
    weight: float
    transform: str


def terms(experiment: Experiment) -> tuple[Term, ...]:
    """What enters `combined`, in the order of the tasks or of the weights written."""
    rule = experiment.selection
    if rule.weights is not None:
        return tuple(
            Term(name, weight, rule.transforms.get(name, "")) for name, weight in rule.weights.items() if weight
        )
    return tuple(
        Term(name, 1.0, rule.transforms.get(name, DEFAULT if needs_transform(name) else ""))
        for name in firsts(experiment)
    )


def firsts(experiment: Experiment) -> list[str]:
    """The first metric of each task."""
    return [f"{name}.{task.metrics[0]}" for name, task in experiment.tasks.items()]


def combined(found: tuple[Term, ...], values: Mapping[str, float]) -> float:
    """The weighted mean of these values, each after its transform."""
    total = sum(term.weight * entering(term, value_of(term.name, values)) for term in found)
    return total / sum(term.weight for term in found)


def entering(term: Term, value: float) -> float:
    """What a metric adds to the mean for each unit of its weight."""
    if not term.transform:
        return value
    return TRANSFORMS[term.transform](1 - value if higher_is_better(term.name) else value)


def value_of(name: str, values: Mapping[str, float]) -> float:
    """The metric's value; the mean over labels where it has one a label."""
    if name in values:
        return values[name]
    each = [value for key, value in values.items() if key.startswith(f"{name}.")]
    return sum(each) / len(each) if each else math.nan


def higher_is_better(name: str) -> bool:
    """Whether more is better of a `TASK.METRIC`."""
    metric = name.rsplit(".", 1)[-1]
    part: Any = None if metric == LOSS else kinds.pick("metrics", metric)
    return part is not None and bool(part.higher_is_better)


def bounded(name: str) -> bool:
    """Whether the values of a `TASK.METRIC` lie between -1 and 1."""
    metric = name.rsplit(".", 1)[-1]
    low, high = (0.0, math.inf) if metric == LOSS else getattr(kinds.pick("metrics", metric), "range", (0.0, 1.0))
    return bool(low >= -1 and high <= 1)


def needs_transform(name: str) -> bool:
    """Whether a `TASK.METRIC` must not enter a mean as it is."""
    return not (bounded(name) and higher_is_better(name))


def measured(experiment: Experiment) -> Iterator[str]:
    """All `TASK.METRIC` that are one number on validation."""
    for name, task in experiment.tasks.items():
        for metric in task.metrics:
            if not kinds.pick("metrics", metric).per_class:  # type: ignore[attr-defined]
                yield f"{name}.{metric}"
        yield f"{name}.{LOSS}"


def selection(spec: Spec, faults: Faults) -> None:
    """Weights and transforms must name what is measured, and what is no score needs a transform that fits."""
    rule, known = spec.experiment.selection, list(measured(spec.experiment))
    weights = rule.weights or {}
    for name in weights:
        where = ("selection", "weights", name)
        if name not in known:
            faults.add("unknown-metric", where, f"no metric `{name}` is measured", did_you_mean(name, known))
        elif weights[name] and needs_transform(name) and name not in rule.transforms:
            why = "has no bounds" if higher_is_better(name) else "is better the lower it is"
            hint = f'write transforms = {{ "{name}" = "{DEFAULT}" }} in [selection], or weigh it by 0'
            faults.add("selection", where, f"`{name}` {why}: it enters by a transform only", hint)
    entering = list(weights) or firsts(spec.experiment)
    for name, transform in rule.transforms.items():
        where = ("selection", "transforms", name)
        if name not in entering:
            message = f"`{name}` does not enter `combined`" if name in known else f"no metric `{name}` is measured"
            faults.add("unknown-metric", where, message, did_you_mean(name, entering))
        elif transform == "complement" and name in [*known, *firsts(spec.experiment)] and not bounded(name):
            message = f"`{name}` has no bounds: its complement could be any number"
            faults.add("selection", where, message, 'write "inverse" or "negative_exp"', "value")
