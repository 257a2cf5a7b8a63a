"""Duel: two runs, example by example: what differs in each score, and whether chance does as well."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runner import kinds
from runner.data.packages import installed
from runner.errors import RunnerError
from runner.evaluate.paired import Difference, paired
from runner.plan.selection import higher_is_better
from runner.store.kept import Common, Kept, common, kept
from runner.store.query import query

SCORES = """
    SELECT split, task, metric, value FROM final_scores
    WHERE run = $run AND split <> 'train' ORDER BY task, split, position, metric
"""
SPREAD = """
    SELECT s.task, s.split, s.metric, max(s.sd) AS sd, max(s.seeds) AS seeds FROM seed_stats s
    WHERE s.seeds > 1 AND s.setting IN (SELECT setting FROM settings WHERE run IN ($a, $b)) GROUP BY ALL
"""

Row = dict[str, Any]
Scores = dict[tuple[str, str], dict[str, float]]


def duel(results: Path, a: str, b: str, confidence: float, resamples: int) -> tuple[list[Row], list[str]]:
    """A row for each task and metric of both runs, and warnings; RunnerError where nothing can be paired."""
    one, other = scores_of(results, a), scores_of(results, b)
    shared = judged(one.keys() & other.keys())
    if not shared:
        hint = f"the first has {told(one)}, the second {told(other)}"
        raise RunnerError(f"`{a}` and `{b}` have no task in common", hint)
    first, second = kept(results, a), kept(results, b)
    rows: list[Row] = []
    warnings: list[str] = []
    answered = 0
    for task, split in shared:
        names = [name for name in one[task, split] if name in other[task, split]]
        values = {name: (one[task, split][name], other[task, split][name]) for name in names}
        found: dict[str, Difference] = {}
        for place in [place for place in first if place[:2] == (task, split) and place in second]:
            match = common(first[place], second[place])
            answered += match.n
            warnings += partial(task, split, match)
            found |= tested(first[place], second[place], match, values, confidence, resamples)
        rows += [row(task, split, name, both, found.get(name)) for name, both in values.items()]
        untold = [name for name in values if name not in found]
        if untold:
            warnings.append(f"no test of {listed(task, untold)}: can't be recomputed here from the kept answers")
    if not answered:
        hint = f"`runner query \"FROM compare('{a}', '{b}')\"` shows their scores side by side"
        raise RunnerError(f"`{a}` and `{b}` answered no example in common", hint)
    return rows, [*dict.fromkeys(warnings), *luck(results, a, b, rows)]


def scores_of(results: Path, run: str) -> Scores:
    """The scores of a run by task and split."""
    found: Scores = {}
    for row in query(results, SCORES, {"run": run}).to_pylist():
        found.setdefault((row["task"], row["split"]), {})[row["metric"]] = row["value"]
    return found


def judged(places: Any) -> list[tuple[str, str]]:
    """Each task with the split that it is judged by: test, or validation where one side has no test."""
    return sorted((task, split) for task, split in places if split == "test" or (task, "test") not in places)


def tested(
    first: Kept,
    second: Kept,
    match: Common,
    values: Mapping[str, tuple[float, float]],
    confidence: float,
    resamples: int,
) -> dict[str, Difference]:
    """The differences in those metrics that the kept answers give as they were recorded, by metric."""
    wholes = first.answers, second.answers
    if match.both is None or None in wholes or not match.n:
        return {}
    metrics = list(dict.fromkeys(name.split(".")[0] for name in values))
    good = [
        metric
        for metric in metrics
        if reads(metric, match.both)
        and all(faithful(metric, answers, values, side) for side, answers in enumerate(wholes))
    ]
    return {each.metric: each for each in paired(match.both, good, confidence, resamples)}


def reads(metric: str, answers: Any) -> bool:
    """Whether a metric scores answers of this shape; one that, or whose packages, are not installed here does not."""
    if metric not in kinds.names("metrics"):
        return False
    part: Any = kinds.pick("metrics", metric)
    there = all(installed(name) for name in getattr(part, "packages", ()))
    return there and isinstance(answers, part.reads)


def faithful(metric: str, answers: Any, values: Mapping[str, tuple[float, float]], side: int) -> bool:
    """Whether the answers as kept give the recorded score again: not where it needs what is not kept."""
    part: Any = kinds.pick("metrics", metric)()
    again = {f"{metric}.{key}" if key else metric: value for key, value in part.score(answers).items()}
    mine = [name for name in values if name.split(".")[0] == metric]
    return all(
        name in again and math.isclose(again[name], values[name][side], rel_tol=1e-6, abs_tol=1e-9) for name in mine
    )


def row(task: str, split: str, metric: str, values: tuple[float, float], found: Difference | None) -> Row:
    """One line; what is not known is None."""
    told: Row = {"task": task, "split": split, "metric": metric, "a": values[0], "b": values[1]}
    if found is None:
        return told | {"difference": values[1] - values[0]} | dict.fromkeys(("low", "high", "p", "mcnemar", "n"))
    told |= {"a": found.first, "b": found.second, "difference": found.value}
    told |= {name: known(getattr(found, name)) for name in ("low", "high", "p", "mcnemar")}
    return told | {"n": found.n}


def known(value: float) -> float | None:
    """A number, or None for NaN."""
    return value if math.isfinite(value) else None


def partial(task: str, split: str, match: Common) -> Iterator[str]:
    """What was left out because only one of the runs answered it, or because the data changed their mind."""
    if match.first or match.second:
        yield f"{task}, {split}: {match.n} examples in common; {match.first} only in a, {match.second} only in b"
    if match.changed:
        yield f"{task}, {split}: {match.changed} examples have another gold in b; they are left out"


def luck(results: Path, a: str, b: str, rows: Sequence[Row]) -> Iterator[str]:
    """Differences that are no larger than what another seed of the same spec does."""
    spread = {
        (row["task"], row["split"], row["metric"]): row for row in query(results, SPREAD, {"a": a, "b": b}).to_pylist()
    }
    for row in rows:
        seen = spread.get((row["task"], row["split"], row["metric"]))
        if seen and row["difference"] and abs(row["difference"]) < seen["sd"]:
            label = f"{row['task']}.{row['metric']}"
            yield (
                f"{label}: {seen['seeds']} seeds of one setting have a standard deviation of {seen['sd']:.3g}, "
                f"more than this difference of {row['difference']:+.3g}"
            )


def better(row: Row, level: float) -> str | None:
    """The side that is better beyond doubt after Holm's correction, None where there is doubt."""
    chance = row.get("p_holm")
    metric = row["metric"].split(".")[0]
    if chance is None or chance > level or not row["difference"] or metric not in kinds.names("metrics"):
        return None
    return "b" if (row["difference"] > 0) == higher_is_better(metric) else "a"


def told(scores: Scores) -> str:
    """The tasks of a run."""
    return ", ".join(f"`{task}`" for task in dict.fromkeys(task for task, _ in scores)) or "none"


def listed(task: str, metrics: Sequence[str]) -> str:
    """Metrics of a task in a row."""
    return ", ".join(f"{task}.{metric}" for metric in metrics)
