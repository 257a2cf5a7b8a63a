"""Runs as their logs tell them, with answers to choose; no model has seen anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sklearn.metrics import accuracy_score, f1_score

from tests.store.conftest import log_of, start

SPEC = {"model.base": "package:x", "train.epochs": 3, "train.learning_rate": 0.001, "data.films.train": "a.csv"}
MACHINE = {"python": "3.11.7", "cores": 2, "packages": {"torch": "2.13.0", "peft": None}, "git_commit": "c1"}
GOLD = "abcab" * 8


def said(gold: str, wrong: Sequence[int]) -> str:
    """Answers that are wrong at some places: the next letter."""
    turn = {"a": "b", "b": "c", "c": "a"}
    return "".join(turn[label] if place in wrong else label for place, label in enumerate(gold))


def run(
    results: Path,
    name: str,
    predicted: str = GOLD,
    *,
    gold: str = GOLD,
    ids: Sequence[str] = (),
    experiment: str = "toy",
    seed: int = 13,
    spec: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
    machine: Mapping[str, Any] | None = None,
    task: str = "mood",
    split: str = "test",
    state: str = "finished",
    plan: str = "p1",
    grid: Mapping[str, Any] | None = None,
    scores: Mapping[str, float] | None = None,
) -> str:
    """Write the log of a run; its scores are those of its answers."""
    log = log_of(results, name)
    fields = {**SPEC, **(spec or {})}
    start(log, name=experiment, seed=seed, params=fields, environment={**MACHINE, **(machine or {})}, plan_key=plan)
    if grid is not None:
        log.write("grid", grid=experiment, grid_key="g1", position=0, point=grid)
    for part, digest in {"train": "11", "test": "22", **(files or {})}.items():
        log.write("data", data="films", split=part, file=f"{part}.csv", sha256=digest, rows=40)
    log.write("stage", name="encode films:text train", key="k1", cached=True, rows=40, seconds=0.5, detail={"rows": 40})
    found = {
        "accuracy": accuracy_score([*gold], [*predicted]),
        "macro_f1": f1_score([*gold], [*predicted], average="macro"),
    }
    rows = [
        {"task": task, "metric": metric, "value": value, "n": len(gold)} for metric, value in (scores or found).items()
    ]
    log.write(
        "answers",
        split=split,
        task=task,
        shape="choices",
        labels=["a", "b", "c"],
        ids=list(ids) or [f"i{place}" for place in range(len(gold))],
        gold=[*gold],
        predicted=[*predicted],
        confidence=[0.75] * len(gold),
        gold_probability=[0.75 if g == p else 0.125 for g, p in zip(gold, predicted, strict=True)],
        text=[f"text {place}" for place in range(len(gold))],
    )
    log.write("scores", split=split, model="best", rows=rows)
    if state != "running":
        log.write("run_finished", state=state, seconds=2.0)
    log.close()
    return name
