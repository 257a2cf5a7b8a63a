"""Definitions: what is known of each metric, read from the parts: direction, range, unit, and what it measures."""

from __future__ import annotations

import math
from typing import Any

import duckdb

from runner.store.view import Table

TABLE = Table(
    "What is known of metrics, as of the program that made this database or brought it up to date.",
    {
        "metric": ("VARCHAR", "its name"),
        "direction": ("VARCHAR", "higher or lower: which is better; null where neither is"),
        "low": ("DOUBLE", "the least value; null where there is none"),
        "high": ("DOUBLE", "the greatest value; null where there is none"),
        "unit": ("VARCHAR", "its unit; empty for shares and other plain numbers"),
        "per_label": ("BOOLEAN", "whether it is one number a label: metric.label"),
        "description": ("VARCHAR", "what it measures"),
    },
)
# What training records beside metrics.
_CURVES = [
    ("loss", "lower", 0.0, None, "nats", False, "Mean loss of a labelled unit; of all tasks the weighted sum."),
    ("learning_rate", None, 0.0, None, "", False, "Learning rate of the trunk's highest layer at this step."),
    ("combined", "higher", None, None, "", False, "Mean of the scores that select the best epoch."),
]


def define(con: duckdb.DuckDBPyConnection) -> None:
    """Write the definitions anew."""
    from runner import kinds

    rows = [*_CURVES, *(row(name, kinds.pick("metrics", name)) for name in kinds.names("metrics"))]
    con.execute("DELETE FROM metric_definitions")
    con.executemany("INSERT INTO metric_definitions VALUES (?, ?, ?, ?, ?, ?, ?)", [list(each) for each in rows])


def row(name: str, part: Any) -> tuple[Any, ...]:
    """What a part says about itself."""
    import inspect

    low, high = (value if math.isfinite(value) else None for value in part.range)
    about = (inspect.getdoc(part) or "").split("\n\n")[0].replace("\n", " ")
    return name, "higher" if part.higher_is_better else "lower", low, high, part.unit, part.per_class, about
