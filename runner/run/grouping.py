"""Groups and clusters of answers, by columns of the data: scores of each group, and what is drawn together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.answers.answers import Answers
from runner.evaluate.groups import buckets, by_group
from runner.plan.groups import LENGTH, columns, names_of
from runner.run.work import Work


def grouped(work: Work, given: Answers, streams: Any, texts: Sequence[str]) -> None:
    """Write down the scores of each group of `[evaluate] by`; `texts` are what the model read, one an answer."""
    rule = work.experiment.evaluate
    metrics = work.experiment.tasks[given.task].metrics
    clusters = clusters_of(work, given, streams)
    for column in rule.by:
        names = members(work, given, streams, column, texts)
        found = by_group(given, names, metrics, rule.smallest_group, **work.doubt, clusters=clusters)
        rows = [vars(each) for each in found]
        work.log.write("group_scores", split=given.split, task=given.task, by_column=column, rows=rows)


def members(work: Work, given: Answers, streams: Any, column: str, texts: Sequence[str]) -> list[str]:
    """The group of each answer."""
    tables = tables_of(work, given, streams)
    if column == LENGTH and column not in columns(tables):
        return buckets(texts)
    return [name for table in tables for name in names_of(table, column)]


def clusters_of(work: Work, given: Answers, streams: Any) -> list[str] | None:
    """Which answers are drawn together; one whose row has no value is drawn alone. None where each is."""
    from runner.profile.profile import NONE

    column = work.experiment.evaluate.cluster
    if column is None:
        return None
    names = [name for table in tables_of(work, given, streams) for name in names_of(table, column)]
    return [f"{NONE} {place}" if name == NONE else name for place, name in enumerate(names)]


def tables_of(work: Work, given: Answers, streams: Any) -> list[Any]:
    """The tables of the rows that were answered, in the order of the answers."""
    found = [work.plan.streams[name] for name in streams[given.split]]
    return [work.checked.loaded[data].splits[given.split] for data, _, tasks in found if given.task in tasks]
