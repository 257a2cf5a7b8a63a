"""Match: two experiments, seed by seed: mean differences, how sure they are, and how large beside the spread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
MEANS = "their scores are averaged; NAME:FIELD=VALUE chooses"
SEEDS = "SELECT run, seed FROM runs WHERE list_contains($runs, run)"

Row = dict[str, Any]
Cell = tuple[Any, ...]  # a seed, and values of fields
Values = dict[Cell, float]


def match(results: Path, a: Sequence[str], b: Sequence[str], confidence: float) -> tuple[list[Row], list[str]]:
    """A row for each task and metric of both sides, and warnings.

    Seeds are pairs. Fields that vary on both sides are compared value by value, and averaged for each seed: trials
    with one seed are too alike to count as several.
    """
    asked = {"runs": [*a, *b]}
    cells, warnings = cells_of(results, a, b)
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
            one, other = (grouped(by_run, side, cells) for side in (a, b))
            if one and other:
                rows.append({"task": task, "split": split, "metric": metric} | measured(one, other, confidence))
    return rows, warnings + lonely(cells, a, b)


def has(names: Mapping[str, Mapping[str, float]], side: Sequence[str]) -> bool:
    """Whether a run of this side has a score."""
    return any(run in by_run for by_run in names.values() for run in side)


def cells_of(results: Path, a: Sequence[str], b: Sequence[str]) -> tuple[dict[str, Cell], list[str]]:
    """The seed of each run with its values of what varies on both sides; and warnings of what varies besides seeds."""
    asked = {"runs": [*a, *b]}
    params: dict[str, dict[str, str | None]] = {run: {} for run in asked["runs"]}
    for row in query(results, PARAMS, asked).to_pylist():
        params[row["run"]][row["name"]] = row["value"]
    seeds = {row["run"]: row["seed"] for row in query(results, SEEDS, asked).to_pylist()}
    axes = [varying(params, side) for side in (a, b)]
    shared = [name for name in axes[0] if name in axes[1]]
    own = {word: [name for name in names if name not in shared] for word, names in zip("ab", axes, strict=True)}
    warnings = [f"{word} has several values of {quoted(names)}: {MEANS}" for word, names in own.items() if names]
    if shared:
        warnings.append(f"{quoted(shared)} varies on both sides: differences are averaged for each seed")
    return {run: (seeds[run], *(params[run].get(name) for name in shared)) for run in asked["runs"]}, warnings


def quoted(names: Sequence[str]) -> str:
    """Fields in a row."""
    return ", ".join(f"`{name}`" for name in names)


def varying(params: Mapping[str, Mapping[str, str | None]], runs: Sequence[str]) -> list[str]:
    """The fields that have several values among these runs."""
    names = dict.fromkeys(name for run in runs for name in sorted(params[run]))
    return [name for name in names if len({params[run].get(name) for run in runs}) > 1]


def grouped(by_run: Mapping[str, float], runs: Sequence[str], cells: Mapping[str, Cell]) -> Values:
    """Scores by cell, the mean where several runs share it."""
    return means((cells[run], by_run[run]) for run in runs if run in by_run)


def means(pairs: Iterable[tuple[Any, float]]) -> dict[Any, float]:
    """The mean of the values of each key, in the order in which keys come first."""
    found: dict[Any, list[float]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: fmean(values) for key, values in found.items()}


def measured(a: Values, b: Values, confidence: float) -> Row:
    """Means, difference and effect over the seeds of both sides; with less than two in common, over all of each."""
    common = [cell for cell in a if cell in b]
    seeds = {cell[0] for cell in common}
    paired = len(seeds) > 1 or (len(seeds) == 1 and min(len({cell[0] for cell in side}) for side in (a, b)) == 1)
    one, other = (
        list(means((cell[0], side[cell]) for cell in (common if paired else side)).values()) for side in (a, b)
    )
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
        "n": len(seeds) if paired else None,
        "n_a": len(one),
        "n_b": len(other),
    }


def lonely(cells: Mapping[str, Cell], a: Sequence[str], b: Sequence[str]) -> list[str]:
    """What is said where runs have no pair."""
    one, other = ({cells[run] for run in side} for side in (a, b))
    seeds = [{cell[0] for cell in side} for side in (one, other, one & other)]
    alone = len(one - other), len(other - one)
    if not any(alone):
        return []
    if len(seeds[2]) < 2 <= min(len(seeds[0]), len(seeds[1])):
        return [f"{len(seeds[2])} seeds in common: means are compared without pairs"]
    return [f"{len(one & other)} pairs by seed; {alone[0]} of a and {alone[1]} of b have none and are left out"]
