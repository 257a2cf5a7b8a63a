"""Requirements: what `[evaluate.require]` names must be measured, and have an interval where one is judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from runner import kinds
from runner.errors import did_you_mean
from runner.plan.faults import Faults, Where
from runner.plan.proxies import scores as judged
from runner.plan.selection import LOSS
from runner.spec.read import Spec
from runner.spec.tables import Experiment

WORST, GAP = "worst_group", "worst_group_gap"


class Score(NamedTuple):
    """A score that a run will have: `TASK.METRIC`, whether it has an interval, and whether it is one a label."""

    name: str
    interval: bool
    per_class: bool = False


def requirements(spec: Spec, faults: Faults) -> None:
    """Each criterion names one score that is measured."""
    known = list(scores(spec.experiment))
    for name, rule in spec.experiment.evaluate.require.items():
        where: Where = ("evaluate", "require", name)
        found = [score for score in known if names(score, name)]
        if not found:
            lacking(name, known, where, faults)
        elif len(found) > 1:
            ways = " or ".join(f"`{score.name}`" for score in found)
            faults.add("require", where, f"several tasks measure `{name}`", f"write {ways}, in quotes")
        elif rule.with_ != "value" and not found[0].interval:
            message = f"`{found[0].name}` has no interval, so no {rule.with_}"
            faults.add("require", (*where, "with"), message, 'write with = "value"', "value")


def lacking(name: str, known: list[Score], where: Where, faults: Faults) -> None:
    """A name that no score has."""
    classes = [score for score in known if score.per_class and name in (score.name, score.name.partition(".")[2])]
    if classes:
        message = f"`{name}` is one score a label"
        faults.add("require", where, message, f'write "{name}.LABEL", with a label of the data')
        return
    allowed = [f"{score.name}.LABEL" if score.per_class else score.name for score in known]
    bare = {each.partition(".")[2] for each in allowed}
    faults.add("unknown-metric", where, f"no score `{name}` is measured", did_you_mean(name, {*allowed, *bare}))


def names(score: Score, name: str) -> bool:
    """Whether a criterion means this score: `TASK.METRIC`, or the metric alone; a label stands behind."""
    ways = score.name, score.name.partition(".")[2]
    return any(name.startswith(f"{way}.") and name != f"{way}." if score.per_class else name == way for way in ways)


def scores(experiment: Experiment) -> Iterator[Score]:
    """All scores of a run of this experiment: of answers and their groups, of texts that are written, and losses."""
    for name, task in experiment.tasks.items():
        written: Any = getattr(task, "generate", None)
        for metric in dict.fromkeys([*task.metrics, *(written.metrics if written else ())]):
            part: Any = kinds.pick("metrics", metric)
            yield Score(f"{name}.{metric}", getattr(part, "drawn", True), getattr(part, "per_class", False))
        yield from (Score(f"{name}.{each}", True) for each in judged(task))
        yield from grouped(name, task.metrics) if experiment.evaluate.by else ()
        yield Score(f"{name}.{LOSS}", False)


def grouped(task: str, metrics: Sequence[str]) -> Iterator[Score]:
    """Scores of the worst group, by each metric that is no score by label; the first one needs no name."""
    parts: dict[str, Any] = {metric: kinds.pick("metrics", metric) for metric in metrics}
    able = [metric for metric, part in parts.items() if not getattr(part, "per_class", False)]
    for name in [f".{metric}" for metric in able] + [""] * bool(able):
        drawn = getattr(parts[name[1:] or able[0]], "drawn", True)
        yield Score(f"{task}{name}.{WORST}", drawn)
        yield Score(f"{task}{name}.{GAP}", False)
