"""The best checkpoint on validation and test: answers and scores go to the log, baselines beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from runner.answers.answers import Answers
from runner.evaluate.baselines import simple
from runner.evaluate.measure import Measure, measure
from runner.parts.tasks._task import Place
from runner.run.grouping import clusters_of, grouped
from runner.run.work import Work

Rows = dict[str, list[str]]
Predict = Callable[[str], Iterable[Any]]


def scored(work: Work, predict: Predict, streams: Any) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """All scores as recorded, and what each task tuned on validation.

    `predict(split)` yields what the heads say of its batches.
    """
    from runner.model.answer import answers

    kept: list[dict[str, Any]] = []
    tuned: dict[str, dict[str, Any]] = {}
    for split in [each for each in ("validation", "test") if streams[each]]:
        tasks: Any = work.experiment.tasks
        for given in answers(predict(split), streams[split], tasks, work.checked.shown, split):
            rows = rows_of(work, streams, given.task, split)
            part = tasks[given.task]
            chosen = tuned.setdefault(given.task, part.tuned(given))  # validation comes first
            given = part.settled(given, chosen)
            record(work, given, rows)
            judged = split == final(work, given.task)
            beside = baselines(work, streams, given, rows) if judged else {}
            if judged:
                grouped(work, given, streams, rows["text"])
            models = {"best": given, **beside}
            clusters = clusters_of(work, given, streams)
            for model, one in models.items():
                found = measure(one, tasks[given.task].metrics, **work.doubt, clusters=clusters)
                kept += recorded(work, split, model, found)
    return kept, tuned


def recorded(work: Work, split: str, model: str, found: Iterable[Measure], first: int = 0) -> list[dict[str, Any]]:
    """Measures in the log, and as the result keeps them; `first` of the task's stand before them."""
    rows = [vars(each) for each in found]
    work.log.write("scores", split=split, model=model, rows=rows, **({"first": first} if first else {}))
    return [{"split": split, "model": model, **each} for each in rows]


def final(work: Work, task: str) -> str:
    """The split that a task is judged by: test, or validation where none of its data has a test."""
    return "test" if "test" in work.checked.counts[task] else "validation"


def baselines(work: Work, streams: Any, given: Answers, rows: Rows) -> dict[str, Answers]:
    """What simple models answer that learned from the same rows."""
    train = rows_of(work, streams, given.task, "train")
    part: Any = work.experiment.tasks[given.task]
    held: Rows = rows_of(work, streams, given.task, "validation") if part.tunes else {}
    place = Place(given.task, given.split, given.labels, given.ids)
    found: dict[str, Answers] = {}
    for name in work.experiment.evaluate.baselines:
        said = simple(name, train, rows, part, given.labels)
        if said is not None:
            found[name] = part.gathered(place, rows["gold"], said)
        if said is not None and part.tunes:
            there = place._replace(split="validation", ids=("",) * len(held["gold"]))
            chosen = part.tuned(part.gathered(there, held["gold"], simple(name, train, held, part, given.labels)))
            found[name] = part.settled(found[name], chosen)
    return found


def rows_of(work: Work, streams: Any, task: str, split: str) -> Rows:
    """Texts and labels of a task's rows in the order of its streams."""
    found: Rows = {"text": [], "gold": []}
    for name, stream in streams[split].items():
        data, inputs, tasks = work.plan.streams[name]
        if task in tasks:
            table = work.checked.loaded[data].splits[split]
            found["text"] += map(" | ".join, zip(*(table[column].to_pylist() for column in inputs), strict=True))
            found["gold"] += stream.values[task].to_pylist()
    return found


def record(work: Work, given: Answers, rows: Rows) -> None:
    """Write down what the model said about every example."""
    work.log.write(
        "answers",
        split=given.split,
        task=given.task,
        shape=given.shape,
        labels=list(given.labels),
        ids=list(given.ids),
        **given.told()._asdict(),
        text=rows["text"],
    )
