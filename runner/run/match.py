"""Match: two experiments, seed by seed: mean differences, how sure they are, and how large beside the spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from runner.errors import RunnerError
from runner.evaluate.student import Mean, cohen, mean, welch
from runner.run.duel import judged, known, told
from runner.store.query import query

SCORES = """
    SELECT run, split, task, metric, position, value FROM final_scores
    WHERE list_contains($runs, run) AND split <> 'train' ORDER BY task, split, position, metric
"""
PARAMS = """
    SELECT run, name, value FROM params WHERE list_contains($runs, run)
    AND NOT regexp_full_match(name, 'name|description|extends|seeds?|(grid|search|execute)(\\..*)?')
"""
SEEDS = "SELECT run, seed FROM runs WHERE list_contains($runs, run)"

Row = dict[str, Any]
Key = tuple[Any, ...]
Values = dict[Key, float]


def match(results: Path, a: Sequence[str], b: Sequence[str], confidence: float) -> tuple[list[Row], list[str]]:
    """A row for each task and metric of both sides, and warnings.

    Runs are pairs if they have the same seed, and the same value of each field that varies on both sides.
    """
    asked = {"runs": [*a, *b]}
    keys, warnings = keys_of(results, a, b)
    values: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for row in query(results, SCORES, asked).to_pylist():
        values.setdefault((row["task"], row["split"]), {}).setdefault(row["metric"], {})[row["run"]] = row["value"]
    shared = judged({place for place, names in values.items() if all(has(names, side) for side in (a, b))})
    if not shared:
        tasks: list[Any] = [{place: {} for place, names in values.items() if has(names, side)} for side in (a, b)]
        raise RunnerError("the two sides have no task in common", f"a has {told(tasks[0])}, b {told(tasks[1])}")
    rows = []
    for task, split in shared:
        for metric, by_run in values[task, split].items():
            one, other = (grouped(by_run, side, keys) for side in (a, b))
            if one and other:
                rows.append({"task": task, "split": split, "metric": metric} | measured(one, other, confidence))
    return rows, warnings + lonely(keys, a, b)


def has(names: Mapping[str, Mapping[str, float]], side: Sequence[str]) -> bool:
    """Whether a run of this side has a score."""
    return any(run in by_run for by_run in names.values() for run in side)


def keys_of(results: Path, a: Sequence[str], b: Sequence[str]) -> tuple[dict[str, Key], list[str]]:
    """What pairs each run: its seed and the values of what varies on both sides; and what varies on one side only."""
    asked = {"runs": [*a, *b]}
    params: dict[str, dict[str, str | None]] = {run: {} for run in asked["runs"]}
    for row in query(results, PARAMS, asked).to_pylist():
        params[row["run"]][row["name"]] = row["value"]
    seeds = {row["run"]: row["seed"] for row in query(results, SEEDS, asked).to_pylist()}
    axes = [varying(params, side) for side in (a, b)]
    shared = [name for name in axes[0] if name in axes[1]]
    warnings = []
    for word, names in zip("ab", axes, strict=True):
        own = [name for name in names if name not in shared]
        if own:
            fields = ", ".join(f"`{name}`" for name in own)
            means = "their scores are averaged; NAME:FIELD=VALUE chooses"
            warnings.append(f"{word} has several values of {fields}: {means}")
    return {run: (seeds[run], *(params[run].get(name) for name in shared)) for run in asked["runs"]}, warnings


def varying(params: Mapping[str, Mapping[str, str | None]], runs: Sequence[str]) -> list[str]:
    """The fields that have several values among these runs."""
    names = dict.fromkeys(name for run in runs for name in sorted(params[run]))
    return [name for name in names if len({params[run].get(name) for run in runs}) > 1]


def grouped(by_run: Mapping[str, float], runs: Sequence[str], keys: Mapping[str, Key]) -> Values:
    """Scores by key, the mean where several runs have it."""
    found: dict[Key, list[float]] = {}
    for run in runs:
        if run in by_run:
            found.setdefault(keys[run], []).append(by_run[run])
    return {key: fmean(values) for key, values in found.items()}


def measured(a: Values, b: Values, confidence: float) -> Row:
    """Means, difference and effect over pairs; where there are less than two pairs, over all runs of each side."""
    pairs = [key for key in a if key in b]
    paired = len(pairs) > 1 or (len(pairs) == 1 and min(len(a), len(b)) == 1)
    one, other = ([side[key] for key in pairs] if paired else list(side.values()) for side in (a, b))
    difference: Mean = (
        mean([y - x for x, y in zip(one, other, strict=True)], confidence) if paired else welch(one, other, confidence)
    )
    return {
        "a": fmean(one),
        "b": fmean(other),
        "difference": difference.value,
        "low": known(difference.low),
        "high": known(difference.high),
        "p": known(difference.p),
        "cohen_d": known(cohen(one, other)),
        "test": "paired t" if paired else "Welch t",
        "n": len(pairs) if paired else None,
        "n_a": len(one),
        "n_b": len(other),
    }


def lonely(keys: Mapping[str, Key], a: Sequence[str], b: Sequence[str]) -> list[str]:
    """What is said where runs have no pair."""
    one, other = ({keys[run] for run in side} for side in (a, b))
    alone = len(one - other), len(other - one)
    if not any(alone):
        return []
    if len(one & other) < 2 <= min(len(one), len(other)):
        return [f"{len(one & other)} seeds in common: means are compared without pairs"]
    return [f"{len(one & other)} pairs by seed; {alone[0]} of a and {alone[1]} of b have none and are left out"]
