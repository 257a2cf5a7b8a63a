"""A store with all that a report tells, from logs written by hand: a grid of four runs, one failed, one planned; others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.store.conftest import log_of, start

GOLD = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "b", "a", "b", "a", "c"]
SURE = [0.9, 0.8, 0.7, 0.6, 0.55, 1.0]
VALUES = {0.1: 0.5, 0.2: 0.75, 0.3: 0.25}  # of the score on validation, by rate


def build(results: Path, label: str = "b", text: str = "a text") -> Path:
    """The store; `label` and `text` stand wherever an author or the data can put words."""
    for place, (rate, value) in enumerate(VALUES.items()):
        trained(results, f"grid-{place}", rate, place, value, label, text)
    log = log_of(results, "grid-3")
    log.write("grid", grid="grid", grid_key="k", position=3, point={"train.learning_rate": 0.4, "seed": 1})
    start(log, name="grid", spec_resolved={"tasks": {}}, params={"train.learning_rate": 0.4})
    log.write("failure", kind="OutOfMemory", message=f"no memory {text}", trace=text, step=3)
    log.write("run_finished", state="failed", seconds=1.0)
    log_of(results, "grid-4").write("grid", grid="grid", grid_key="k", position=4, point={"train.learning_rate": 0.5})
    many(results, label, text)
    return results


def trained(results: Path, run: str, rate: float, place: int, value: float, label: str, text: str) -> None:
    """A run of the grid with curves, scores and the answers of one task."""
    log = log_of(results, run)
    log.write("grid", grid="grid", grid_key="k", position=place, point={"train.learning_rate": rate, "seed": 1})
    begun(log, "grid", {"mood": {"data": ["films"]}}, {"train.learning_rate": rate}, text)
    for step in range(1, 9):
        log.write("metrics", step=step, split="train", values={"loss": 1 / step, "mood.loss": 1 / step})
    for step in (4, 8):
        values = {"loss": 0.5, "mood.loss": 0.5, "mood.macro_f1": value * step / 8, "combined": value}
        log.write("metrics", step=step, split="validation", values=values)
    for split, shift in (("validation", 0.0), ("test", 0.125)):
        judged(log, split, "mood", "macro_f1", value + shift)
    labels = {"a": "a", "b": label, "c": "c"}
    gold, predicted = ([labels[each] for each in side] for side in (GOLD, PREDICTED))
    texts = [f"{text} {at}" + " word" * at for at in range(6)]
    answered(log, "mood", "choices", gold, predicted, texts, labels=list(labels.values()), confidence=SURE)
    log.write("run_finished", state="finished", seconds=2.0 + place)


def many(results: Path, label: str, text: str) -> None:
    """A run with a task of each other shape, and texts that it wrote."""
    log = log_of(results, "many")
    tasks = {name: {"data": ["films"]} for name in ("stars", "topics", "names", "reply", "intent")}
    begun(log, "many", tasks, {"name": label}, text)
    judged(log, "test", "stars", "pearson", 0.5)
    answered(log, "stars", "quantities", ["1", "2", "4"], ["1", "2.5", "1"], [text] * 3)
    judged(log, "test", "topics", "micro_f1", 0.5, {f"class_f1.{label}": 0.25, "class_f1.x": 0.75})
    answered(log, "topics", "sets", [json.dumps([label]), "[]"], [json.dumps([label, "x"]), "[]"], [text] * 2)
    answered(log, "names", "tags", ['["O", "B-x"]'], ['["O", "O"]'], ["two words"])
    answered(log, "intent", "choices", [f"{at:02}" for at in range(30)], [f"{at // 2:02}" for at in range(30)], [text] * 30,
             confidence=[0.5] * 30)  # fmt: skip
    answered(log, "reply", "likelihoods", [""], [""], [text])
    for model, said in (("best", text), ("before", "hm")):
        log.write("samples", split="test", task="reply", model=model, ids=["1"], prompt=[text], gold=[text], text=[said],
                  tokens=[3], ended=[False])  # fmt: skip
    log.write("run_finished", state="finished", seconds=9.0)


def begun(log: Any, name: str, tasks: Any, params: Any, text: str) -> None:
    """The first records of a run."""
    environment = {"python": "3.11", "processor": text, "packages": {"torch": "2.13.0"}, "git_commit": "abc"}
    spec = {"tasks": tasks, "data": {"films": {"groups": None}}}
    start(log, name=name, description=text, spec_text=text, spec_resolved=spec, params=params, environment=environment)
    log.write("data", data="films", split="test", file=f"{text}.csv", sha256="f" * 64, rows=6, bytes=99)
    account = {"step": "length", "split": "test", "rows": 7, "kept": 6, "changed": 0, "made": 0, "dropped": {text: 1},
               "flagged": {}, "refused": {}, "seconds": 0.1}  # fmt: skip
    log.write("stage", name="clean films test", key="x", detail={"account": [account]})


def judged(log: Any, split: str, task: str, metric: str, value: float, more: dict[str, float] | None = None) -> None:
    """The scores of a task, and a baseline."""
    interval = {"low": value - 0.125, "high": value + 0.125, "n": 6}
    rows = [
        {"task": task, "metric": name, "value": each, **interval}
        for name, each in {metric: value, **(more or {})}.items()
    ]
    log.write("scores", split=split, model="best", rows=rows)
    log.write("scores", split=split, model="majority", rows=[{"task": task, "metric": metric, "value": 0.125}])


def answered(
    log: Any, task: str, shape: str, gold: list[str], predicted: list[str], texts: list[str], **more: Any
) -> None:
    """The answers of a task on test."""
    ids = [f"{task}{at}" for at in range(len(gold))]
    log.write(
        "answers", split="test", task=task, shape=shape, ids=ids, gold=gold, predicted=predicted, text=texts, **more
    )
