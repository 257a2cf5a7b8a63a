"""Tables of results whose cells hold a number and a bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.report.bars import ENDS, FEW, MOST, Bars, Cell, span
from runner.report.render import number


def classes(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, Bars]]:
    """F1, recall and precision of each class, the lowest F1 first; of many both ends, and then all of them."""
    rows = [
        (
            row["label"],
            [*(part(row[name]) for name in ("f1", "recall", "precision")), Cell(f"{row['support']:,}", "", 0)],
        )
        for row in found
    ]
    table = Bars("class", ("F1", "recall", "precision", "n"), rows)
    if len(rows) <= FEW:
        return [("", table)]
    return [
        (f"The {ENDS} lowest", table._replace(rows=rows[:ENDS])),
        (f"The {ENDS} highest", table._replace(rows=rows[-ENDS:])),
        (f"All {len(rows)}", table._replace(rows=rows[:MOST])),
    ]


def recorded(found: Sequence[Mapping[str, Any]]) -> Bars:
    """The same for classes whose scores metrics recorded."""
    columns = list(dict.fromkeys(name for row in found for name in row if name != "label"))
    rows = [(row["label"], [part(row.get(name)) for name in columns]) for row in found]
    return Bars("class", columns, sorted(rows, key=lambda row: row[1][0].width))


def lengths(found: Sequence[Mapping[str, Any]]) -> Bars:
    """How good answers are by the length of their texts."""
    return goodness("words", [(span(row["least"], row["most"]), row) for row in found])


def groups(found: Mapping[str, Any]) -> Bars:
    """The same by the group that a row belongs to."""
    table = goodness(found["column"], [(row["group"], row) for row in found["rows"]])
    return table._replace(left_out=found["left_out"])


def goodness(head: str, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> Bars:
    """The share of right answers by label, or the mean error of numbers."""
    errors = [row["error"] for _, row in rows if row["error"] is not None]
    if not errors:
        return Bars(head, ("right", "n"), [(label, [part(row["right"]), counted(row["n"])]) for label, row in rows])
    most = max(errors) or 1
    cells = [Cell(number(row["error"]), "", 100 * (row["error"] or 0) / most) for _, row in rows]
    told = [(label, [cell, counted(row["n"])]) for (label, row), cell in zip(rows, cells, strict=True)]
    return Bars(head, ("mean error", "n"), told)


def counted(count: int) -> Cell:
    """A count without a bar."""
    return Cell(f"{count:,}", "", 0)


def part(value: float | None) -> Cell:
    """A number from 0 to 1 with its bar; a dash for none."""
    return Cell("–", "", 0) if value is None else Cell(f"{value:.3f}", "", 100 * min(max(value, 0.0), 1.0))


def named(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of a leaderboard; deviations stand beside their means."""
    return list(dict.fromkeys(name for row in points for name in row if not name.startswith("± ")))


def axis(found: Mapping[str, Any], axes: Sequence[Mapping[str, Any]]) -> Bars:
    """What the values of an axis came to; bars compare means between the lowest and the highest of all axes."""
    means = [each["mean"] for one in axes for each in one["values"]]
    low, spread = min(means), (max(means) - min(means)) or 1
    rows = [
        (
            each["value"],
            [
                Cell(f"{each['mean']:.4f}", "", 4 + 96 * (each["mean"] - low) / spread),
                Cell(f"{each['best']:.4f}", "", 0),
                counted(each["runs"]),
            ],
        )
        for each in found["values"]
    ]
    return Bars(found["field"], ("mean", "best", "runs"), rows)


def shade(count: int, total: int) -> str:
    """How dark a cell of a matrix is, in percent."""
    return f"{100 * count / total:.0f}" if total else "0"
