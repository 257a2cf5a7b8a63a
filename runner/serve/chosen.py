"""Chosen: which rows of a board are shown, in which order, by what a form asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runner.errors import RunnerError, did_you_mean

MOST = 40  # values of a field that a list offers

Board = Mapping[str, Any]
Row = Mapping[str, Any]


class Filter(NamedTuple):
    """A list of values of one field; `chosen` is empty where all are shown."""

    field: str
    values: Sequence[str]
    chosen: str


def filters(board: Board, asked: Mapping[str, str]) -> list[Filter]:
    """A list for the state and for each field that is no different in every row of a long board."""
    found = []
    for field in ("state", *board["fields"]):
        values = sorted({said(row, field) for row in board["rows"]}, key=in_order)
        if len(values) <= MOST:
            found.append(Filter(field, values, asked.get(field, "")))
    return found


def orders(board: Board) -> list[str]:
    """What rows can be sorted by."""
    return ["rank", *(label["key"] for label in board["labels"]), *board["fields"], "state", "seed", "seconds", "run"]


def chosen(board: Board, asked: Mapping[str, str]) -> list[Row]:
    """The rows with the values that were asked for, in the order that was asked for; rows without a value last."""
    by = asked.get("sort") or "rank"
    if by not in orders(board):
        raise RunnerError(f"rows can't be sorted by `{by}`", did_you_mean(by, orders(board)))
    rows = [row for row in board["rows"] if all(said(row, field) == value for field, value in wanted(board, asked))]
    known = [row for row in rows if value_of(row, by) is not None]
    down = asked.get("order") == "down"
    return sorted(known, key=lambda row: in_order(value_of(row, by)), reverse=down) + [
        row for row in rows if value_of(row, by) is None
    ]


def wanted(board: Board, asked: Mapping[str, str]) -> list[tuple[str, str]]:
    """The fields of which one value is asked for."""
    return [(field, asked[field]) for field in ("state", *board["fields"]) if asked.get(field)]


def value_of(row: Row, by: str) -> Any:
    """What a row is sorted by."""
    if by == "rank":
        return row["rank"] or None
    if by in row["scores"]:
        return row["scores"][by]["value"]
    return row["point"].get(by, row.get(by))


def said(row: Row, field: str) -> str:
    """A value as the board shows it."""
    value = row["state"] if field == "state" else row["point"].get(field)
    return "–" if value is None else str(value)


def in_order(value: Any) -> tuple[bool, float, str]:
    """Numbers by size, before texts."""
    try:
        return False, float(value), ""
    except (TypeError, ValueError):
        return True, 0.0, str(value)
