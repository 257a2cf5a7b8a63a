"""What `runner scorecard` says: which of the declared criteria a run keeps."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runner.errors import RunnerError, nearest
from runner.plan.requirements import GAP, WORST
from runner.plan.selection import LOSS, higher_is_better
from runner.run.aligned import aligned
from runner.spec.require import Require
from runner.store.findings import asked
from runner.store.named import named
from runner.store.query import Ask, asking

SPEC = "SELECT resolved FROM specs WHERE run = $run"
SCORES = """
    SELECT split, task, metric, value, low, high, n FROM scores
    WHERE run = $run AND model = 'best' AND split IN ('test', 'validation') ORDER BY task, split, position
"""
LOSSES = """
    SELECT step, task, metric, value FROM metrics WHERE run = $run AND split = 'validation' AND isfinite(value)
    ORDER BY step
"""
MAIN = """
    SELECT s.run, s.metric, s.value FROM final_scores s LEFT JOIN specs p ON p.run = s.run
    WHERE list_contains($runs, s.run) AND s.split = 'validation'
    QUALIFY row_number() OVER (
        PARTITION BY s.run ORDER BY list_position(json_keys(p.resolved, '$.tasks'), s.task), s.task, s.position) = 1
    ORDER BY s.run
"""
GROUPS = """
    SELECT split, task, metric, position, value, low, high, n, gap FROM worst_groups WHERE run = $run
    QUALIFY row_number() OVER (PARTITION BY task, metric ORDER BY gap DESC, by_column) = 1 ORDER BY task, position
"""
HEAD = ("", "criterion", "required", "value", "interval", "split", "n", "")
VERDICTS = ("fail", "undefined", "pass")  # the worst first: a scorecard is as good as its worst criterion

Row = dict[str, Any]
Rules = Mapping[str, Require]


class Found(NamedTuple):
    """A score that a criterion judges; NaN or None where there is no number."""

    name: str
    split: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None


def facts(results: Path, word: str) -> dict[str, Any]:
    """The criteria of a run, or of the best of several; a spec file gives those that it has now."""
    runs = list(named(results, word).runs)
    with asking(results) as ask:
        run = best(ask, runs) if len(runs) > 1 else runs[0]
        card = judged(ask, run, written(word))
    if card is None:
        hint = "such as: macro_f1 = { at_least = 0.8 }; then `runner scorecard SPEC.toml` judges what was trained"
        raise RunnerError(f"`{word}` declares no criteria", f"write [evaluate.require] into its spec, {hint}")
    return {"run": run, "of": len(runs), **card}


def written(word: str) -> Rules | None:
    """The criteria of a spec file; None for any other word."""
    path = Path(word.partition(":")[0])
    if path.suffix != ".toml" or not path.is_file():
        return None
    from runner.spec.read import read

    return read(path).experiment.evaluate.require


def best(ask: Ask, runs: list[str]) -> str:
    """The run whose first score on validation is best; the first one where none has any."""
    rows = asked(ask, MAIN, runs)
    if not rows:
        return runs[0]
    return str(max(rows, key=lambda row: row["value"] if higher_is_better(row["metric"]) else -row["value"])["run"])


def judged(ask: Ask, run: str, rules: Rules | None = None) -> dict[str, Any] | None:
    """The scorecard of a run by these rules, or by those of its own spec; None where there are none."""
    spec: dict[str, Any] = {}
    for row in ask(SPEC, {"run": run}).to_pylist():
        spec = json.loads(row["resolved"] or "{}")
    if rules is None:
        own = spec.get("evaluate", {}).get("require") or {}
        rules = {name: Require.model_validate(rule) for name, rule in own.items()}
    if not rules:
        return None
    select_by = spec.get("train", {}).get("select_by", "combined")
    found = [*measured(ask, run), *grouped(ask, run), *losses(ask, run, select_by)]
    criteria = [criterion(name, rule, found) for name, rule in rules.items()]
    return {"verdict": min((row["verdict"] for row in criteria), key=VERDICTS.index), "criteria": criteria}


def measured(ask: Ask, run: str) -> list[Found]:
    """The final scores of each task on the split that it is judged by."""
    rows = ask(SCORES, {"run": run}).to_pylist()
    tested = {row["task"] for row in rows if row["split"] == "test"}
    return [
        Found(f"{row['task']}.{row['metric']}", *(row[key] for key in ("split", "value", "low", "high", "n")))
        for row in rows
        if row["split"] == "test" or row["task"] not in tested
    ]


def grouped(ask: Ask, run: str) -> Iterator[Found]:
    """Each score on its worst group, by whatever column, and how far that is below all; the first needs no name."""
    for row in ask(GROUPS, {"run": run}).to_pylist():
        task, metric = row["task"], row["metric"]
        for name in (f"{task}.{metric}", *([task] if row["position"] == 0 else [])):
            yield Found(f"{name}.{WORST}", *(row[key] for key in ("split", "value", "low", "high", "n")))
            yield Found(f"{name}.{GAP}", row["split"], row["gap"], n=row["n"])


def losses(ask: Ask, run: str, select_by: str) -> list[Found]:
    """The loss of each task on validation, at the step whose checkpoint was chosen."""
    points: dict[int, dict[str, float]] = {}
    for row in ask(LOSSES, {"run": run}).to_pylist():
        name = ".".join(filter(None, (row["task"], row["metric"])))
        points.setdefault(row["step"], {})[name] = row["value"]
    sign = 1 if select_by == "combined" or higher_is_better(select_by) else -1
    chosen = max((step for step in points if select_by in points[step]), default=None,
                 key=lambda step: (sign * points[step][select_by], -step))  # fmt: skip
    values = points[chosen] if chosen is not None else {}
    return [Found(name, "validation", value) for name, value in values.items() if name.endswith(f".{LOSS}")]


def criterion(name: str, rule: Require, found: list[Found]) -> Row:
    """One criterion: what is required, what was found, and the verdict with its reason."""
    meant = [each for each in found if name in (each.name, each.name.partition(".")[2])]
    row: Row = {"criterion": name, "required": rule.told(), **rule.model_dump(by_alias=True)}
    if len(meant) != 1:
        why = "several tasks measure it" if meant else "it was not measured"
        near = nearest(name, [each.name for each in found])
        more = dict.fromkeys(("value", "low", "high", "split", "n"))
        return {**row, **more, "verdict": "undefined", "why": f"{why}; did you mean `{near}`?" if near else why}
    told = {
        key: finite(value) if key in ("value", "low", "high") else value for key, value in meant[0]._asdict().items()
    }
    ends = {"value": told["value"], "lower_bound": told["low"], "upper_bound": told["high"]}
    at = ends[rule.with_]
    verdict = "undefined" if at is None else "pass" if rule.keeps(at) else "fail"
    why = "" if at is not None else "it is no number" if rule.with_ == "value" else "it has no interval"
    return {**row, **told, "criterion": told.pop("name"), "verdict": verdict, "why": why}


def finite(value: float | None) -> float | None:
    """A number, or None."""
    return value if value is not None and math.isfinite(value) else None


def text(found: Mapping[str, Any]) -> str:
    """The same for a person."""
    many = f", the best of {found['of']} runs" if found["of"] > 1 else ""
    rows = [
        (
            row["verdict"],
            row["criterion"],
            row["required"],
            number(row["value"]),
            "" if None in (row["low"], row["high"]) else f"{row['low']:.4f} to {row['high']:.4f}",
            row["split"] or "",
            "" if row["n"] is None else str(row["n"]),
            row["why"],
        )
        for row in found["criteria"]
    ]
    return "\n".join([f"{found['run']}{many}: {found['verdict']}", *aligned([HEAD, *rows], indent=2)])


def number(value: float | None) -> str:
    """A cell."""
    return "" if value is None else f"{value:.4f}"
