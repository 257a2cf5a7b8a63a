"""The best checkpoint on validation and test: answers and scores go to the log, baselines beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from runner.evaluate.baselines import majority, tfidf
from runner.evaluate.measure import measure
from runner.parts.answers import Answers
from runner.run.work import Work

Rows = dict[str, list[str]]
Predict = Callable[[str], Iterable[Any]]


def scored(work: Work, predict: Predict, streams: Any) -> list[dict[str, Any]]:
    """All scores as recorded. `predict(split)` yields the outputs of the network."""
    from runner.model.answer import answers

    kept: list[dict[str, Any]] = []
    rule = work.experiment.evaluate
    for split in [each for each in ("validation", "test") if streams[each]]:
        tasks: Any = work.experiment.tasks
        for given in answers(predict(split), streams[split], tasks, work.checked.shown, split):
            rows = rows_of(work, given.task, split)
            record(work, given, rows)
            models = {"best": given, **(baselines(work, given, rows) if split == final(work, given.task) else {})}
            for model, one in models.items():
                metrics = tasks[given.task].metrics
                found = measure(one, metrics, rule.confidence, rule.resamples, work.trial.seed)
                work.log.write("scores", split=split, model=model, rows=[vars(each) for each in found])
                kept += [{"split": split, "model": model, **vars(each)} for each in found]
    return kept


def final(work: Work, task: str) -> str:
    """The split that a task is judged by: test, or validation where none of its data has a test."""
    return "test" if "test" in work.checked.counts[task] else "validation"


def baselines(work: Work, given: Answers, rows: Rows) -> dict[str, Answers]:
    """What simple models answer that learned from the same rows."""
    train = rows_of(work, given.task, "train")
    gold = work.experiment.tasks[given.task].targets(train["gold"], work.checked.labels[given.task])
    about = (given.ids, given.gold, given.labels, given.task, given.split)
    found = {}
    if "majority" in work.experiment.evaluate.baselines:
        found["majority"] = majority(gold, *about)
    if "tfidf" in work.experiment.evaluate.baselines:
        found["tfidf"] = tfidf(train["text"], gold, rows["text"], *about)
    return found


def rows_of(work: Work, task: str, split: str) -> Rows:
    """Texts and labels of a task's rows in the order of its streams."""
    found: Rows = {"text": [], "gold": []}
    part: Any = work.experiment.tasks[task]
    for data, inputs, tasks in work.plan.streams.values():
        if task in tasks and split in work.checked.loaded[data].splits:
            table = work.checked.loaded[data].splits[split]
            found["text"] += [" | ".join(texts) for texts in zip(*(table[c].to_pylist() for c in inputs), strict=True)]
            found["gold"] += table[part.target].to_pylist()
    return found


def record(work: Work, given: Answers, rows: Rows) -> None:
    """Write down what the model said about every example."""
    span = np.arange(len(given))
    work.log.write(
        "answers",
        split=given.split,
        task=given.task,
        labels=list(given.labels),
        ids=list(given.ids),
        gold=[given.labels[index] for index in given.gold],
        predicted=[given.labels[index] for index in given.predicted],
        confidence=given.probabilities[span, given.predicted].tolist(),
        gold_probability=given.probabilities[span, given.gold].tolist(),
        text=rows["text"],
    )
