"""Intervals in the cells of a column, over one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runner.report.plots import Scale

BASELINES = ("majority", "tfidf", "before")


class Whisker(NamedTuple):
    """An interval and a value on the scale that a column shares, and where baselines stand."""

    low: float
    width: float
    value: float
    marks: Sequence[tuple[str, float]]


def judged(board: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The score whose intervals are drawn: what ranks, but on test where there is one."""
    by: Mapping[str, Any] | None = board["by"]
    if by is None:
        return None
    same = [label for label in board["labels"] if (label["task"], label["metric"]) == (by["task"], by["metric"])]
    return next((label for label in same if label["split"] == "test"), by)


def whiskers(board: Mapping[str, Any], key: str) -> list[Whisker | None]:
    """One for each row of a board; None where it has no such score."""
    scores = [row["scores"].get(key) for row in board["rows"]]
    fields = ("value", "low", "high", *BASELINES)
    scale = Scale([each[name] for each in scores if each for name in fields if each[name] is not None])
    return [each and whisker(each, scale) for each in scores]


def whisker(score: Mapping[str, Any], scale: Scale) -> Whisker:
    """One interval; of a score without one only the value."""
    low = scale.at(score["value"] if score["low"] is None else score["low"])
    high = scale.at(score["value"] if score["high"] is None else score["high"])
    marks = [(name, scale.at(score[name])) for name in BASELINES if score[name] is not None]
    return Whisker(low, high - low, scale.at(score["value"]), marks)
