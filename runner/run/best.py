"""Best: which of several results is the best, by the main score of each on validation."""

from __future__ import annotations

from typing import Any

from runner.plan.selection import higher_is_better


def value(result: dict[str, Any]) -> float:
    """The main validation score of a result, such that more is better; -inf where it has none."""
    row = main_score(result)
    if row is None or row["value"] != row["value"]:
        return float("-inf")
    sign = 1 if higher_is_better(row["metric"]) else -1
    return sign * float(row["value"])


def main_score(result: dict[str, Any]) -> dict[str, Any] | None:
    """The row of the first score of the first task on validation."""
    rows = (row for row in result["scores"] if row["split"] == "validation" and row["model"] == "best")
    return next(rows, None)
