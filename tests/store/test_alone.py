"""The gap to the run that learned a task alone: which runs count as such, and which of them is the best."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.run.summary import summary
from runner.store.alone import gaps
from runner.store.show import render_show, show
from tests.store.conftest import log_of, start

DATA = {
    "train": "a.csv",
    "validation": {"from": "train", "fraction": 0.1},
    "test": "t.csv",
    "clean": [],
    "license": None,
}
JOINT: dict[str, Any] = {
    "model": {"base": "package:x", "max_length": 64},
    "data": {"films": DATA, "books": {**DATA, "train": "b.csv"}},
    "tasks": {
        "mood": {"type": "classification", "data": ["films"], "metrics": ["macro_f1", "accuracy"], "loss_weight": 2.0},
        "score": {"type": "regression", "data": ["films", "books"], "metrics": ["mean_absolute_error"], "loss_weight": 1.0},
    },
    "mixing": {"strategy": "uniform"},
    "train": {"epochs": 3, "loss_balance": "pcgrad", "select_by": "combined", "early_stopping": {"metric": "loss", "patience": 2}},
    "evaluate": {"resamples": 1000},
}  # fmt: skip
FILES = {"a.csv": "1", "b.csv": "2", "t.csv": "3", "elsewhere/a.csv": "1"}


def finished(
    results: Path, run: str, spec: dict[str, Any], scores: dict[str, tuple[float, int]], state: str = "finished"
) -> None:
    """A run with scores on test, `TASK.METRIC` to value and n."""
    log = log_of(results, run)
    start(log, spec_resolved=spec)
    for name, data in spec["data"].items():
        for split in ("train", "test"):
            log.write("data", data=name, split=split, file=data[split], sha256=FILES.get(data[split], "9"), rows=9)
    rows = []
    for name, (value, n) in scores.items():
        task, metric = name.split(".", 1)
        rows.append({"task": task, "metric": metric, "value": value, "n": n})
    log.write("scores", split="test", model="best", rows=rows)
    log.write("run_finished", state=state, seconds=1.0)


def alone(task: str, change: Callable[[dict[str, Any]], Any] = lambda spec: None) -> dict[str, Any]:
    """The spec of one task, with a change."""
    spec = copy.deepcopy(JOINT)
    spec["tasks"] = {task: spec["tasks"][task]}
    spec["data"] = {name: spec["data"][name] for name in spec["tasks"][task]["data"]}
    spec["train"]["loss_balance"] = "fixed"
    change(spec)
    return spec


@pytest.fixture
def joint(results: Path) -> Path:
    """A run of two tasks."""
    scores = {
        "mood.macro_f1": (0.75, 20),
        "mood.accuracy": (0.9, 20),
        "mood.class_f1.a": (0.1, 20),
        "score.mean_absolute_error": (2.0, 40),
    }
    finished(results, "joint", JOINT, scores)
    return results


def test_without_a_run_of_one_task_there_is_no_gap(joint: Path) -> None:
    assert gaps(joint, "joint") == [] and show(joint, "joint")["gaps"] == []


def test_the_best_of_the_runs_of_one_task_stands_beside(joint: Path) -> None:
    finished(joint, "mood-1", alone("mood"), {"mood.macro_f1": (0.5, 20), "mood.accuracy": (1.0, 20)})
    finished(joint, "mood-2", alone("mood"), {"mood.macro_f1": (0.625, 20), "mood.accuracy": (0.5, 20)})
    finished(joint, "score-1", alone("score"), {"score.mean_absolute_error": (2.5, 40)})
    finished(joint, "score-2", alone("score"), {"score.mean_absolute_error": (1.5, 40)})
    assert gaps(joint, "joint") == [
        {"task": "mood", "split": "test", "metric": "macro_f1", "value": 0.75, "alone": 0.625, "gap": 0.125, "alone_run": "mood-2", "alone_runs": 2},
        {"task": "mood", "split": "test", "metric": "accuracy", "value": 0.9, "alone": 0.5, "gap": pytest.approx(0.4), "alone_run": "mood-2", "alone_runs": 2},
        {"task": "score", "split": "test", "metric": "mean_absolute_error", "value": 2.0, "alone": 1.5, "gap": 0.5, "alone_run": "score-2", "alone_runs": 2},
    ]  # fmt: skip
    assert gaps(joint, "mood-1") == []
    told = render_show(show(joint, "joint"))
    assert told.index("\nscores\n") < told.index("\ngaps\n") < told.index("\nattempts\n")
    assert "mood-2" in told


SAME: dict[str, Callable[[dict[str, Any]], Any]] = {
    "nothing": lambda spec: None,
    "another name of the task": lambda spec: spec["tasks"].update(feeling=spec["tasks"].pop("mood")),
    "weight of its loss": lambda spec: spec["tasks"]["mood"].update(loss_weight=1.0),
    "more metrics": lambda spec: spec["tasks"]["mood"].update(metrics=["accuracy"]),
    "path of a file": lambda spec: spec["data"]["films"].update(train="elsewhere/a.csv"),
    "licence": lambda spec: spec["data"]["films"].update(license="MIT"),
    "what chooses": lambda spec: spec["train"].update(select_by="mood.accuracy"),
    "what stops": lambda spec: spec["train"]["early_stopping"].update(metric="mood.accuracy"),
    "resamples": lambda spec: spec["evaluate"].update(resamples=100),
    "mixing of one data set": lambda spec: spec.update(mixing=None),
}
OTHER: dict[str, Callable[[dict[str, Any]], Any]] = {
    "epochs": lambda spec: spec["train"].update(epochs=4),
    "patience": lambda spec: spec["train"]["early_stopping"].update(patience=3),
    "model": lambda spec: spec["model"].update(base="package:y"),
    "content of a file": lambda spec: spec["data"]["films"].update(train="c.csv"),
    "cleaners": lambda spec: spec["data"]["films"].update(clean=[{"type": "lowercase"}]),
    "labels": lambda spec: spec["tasks"]["mood"].update(labels=["a", "b"]),
}


@pytest.mark.parametrize("what", SAME)
def test_what_may_differ(joint: Path, what: str) -> None:
    spec = alone("mood", SAME[what])
    (task,) = spec["tasks"]
    finished(joint, "single", spec, {f"{task}.macro_f1": (0.5, 20)})
    assert [(row["task"], row["gap"]) for row in gaps(joint, "joint")] == [("mood", 0.25)]


@pytest.mark.parametrize("what", OTHER)
def test_what_must_be_equal(joint: Path, what: str) -> None:
    finished(joint, "single", alone("mood", OTHER[what]), {"mood.macro_f1": (0.5, 20)})
    assert gaps(joint, "joint") == []


def test_mixing_counts_where_a_task_has_several_data_sets(joint: Path) -> None:
    finished(
        joint, "single", alone("score", lambda spec: spec.update(mixing=None)), {"score.mean_absolute_error": (1.0, 40)}
    )
    assert gaps(joint, "joint") == []


@pytest.mark.parametrize(("state", "n"), [("failed", 20), ("interrupted", 20), ("finished", 19)])
def test_runs_that_do_not_count(joint: Path, state: str, n: int) -> None:
    """Not finished, or measured on other answers."""
    finished(joint, "single", alone("mood"), {"mood.macro_f1": (0.5, n)}, state)
    assert gaps(joint, "joint") == []


def test_the_summary_of_a_run_tells_the_gaps(joint: Path) -> None:
    rows = [
        {
            "split": "test",
            "model": "best",
            "task": task,
            "metric": metric,
            "value": value,
            "low": 0.0,
            "high": 1.0,
            "n": n,
        }
        for task, metric, value, n in (("mood", "macro_f1", 0.75, 20), ("score", "mean_absolute_error", 2.0, 40))
    ]
    result = {"run": "joint", "model": "m", "seconds": 1.0, "scores": rows}
    assert "alone" not in summary(result, joint)
    finished(joint, "single", alone("mood"), {"mood.macro_f1": (0.5, 20)})
    told = summary(result, joint).splitlines()
    place = told.index("beside the best run of each task alone")
    assert told[place + 1].split() == ["task", "metric", "score", "alone", "gap", "run"]
    assert told[place + 2].split() == ["mood", "macro_f1", "0.750", "0.500", "+0.250", "single"]
