"""What the database knows of metrics is what the parts say, and agrees with what sorts the boards."""

from __future__ import annotations

import duckdb

from runner import kinds
from tests.store.conftest import rows


def test_every_metric_is_defined(con: duckdb.DuckDBPyConnection) -> None:
    found = {name for (name,) in rows(con, "SELECT metric FROM metric_definitions")}
    assert found == {*kinds.names("metrics"), "loss", "learning_rate", "combined"}
    assert rows(con, "SELECT metric FROM metric_definitions WHERE coalesce(description, '') = ''") == []


def test_some_definitions_literally(con: duckdb.DuckDBPyConnection) -> None:
    asked = "SELECT direction, low, high, unit, per_label, description FROM metric_definitions WHERE metric = "
    assert rows(con, f"{asked} 'matthews'") == [
        (
            "higher",
            -1.0,
            1.0,
            "",
            False,
            "Correlation of gold and predicted labels, from -1 to 1 (Gorodkin 2004 for many labels).",
        )
    ]
    assert rows(con, f"{asked} 'perplexity'")[0][:4] == ("lower", 1.0, None, "")
    assert rows(con, f"{asked} 'learning_rate'")[0][:3] == (None, 0.0, None)


def test_directions_are_those_that_boards_sort_by(con: duckdb.DuckDBPyConnection) -> None:
    asked = "SELECT metric FROM metric_definitions WHERE (direction = 'lower') <> lower_is_better(metric)"
    assert rows(con, asked) == []
