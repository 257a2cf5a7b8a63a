"""Groups in the store: the worst is the worst by the direction of its metric, and big enough."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.store.query import query
from runner.store.show import render_show, show
from tests.store.conftest import clear, insert, log_of, rows, start

law = settings(max_examples=20, deadline=None, database=None)
GROUPS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.floats(0, 1) | st.just(math.nan), st.booleans()),
    max_size=4,
    unique_by=lambda each: each[0],
)


def group(name: str, value: float, enough: bool = True, **more: Any) -> dict[str, Any]:
    """A score of a group, as a run records it."""
    found = {"group_name": name, "metric": "accuracy", "position": 0, "value": value, "n": 20, "enough": enough}
    return found | more


def recorded(results: Path) -> None:
    """A run whose two columns make groups."""
    log = log_of(results, "one")
    start(log)
    rows = [{"task": "t", "metric": name, "value": value} for name, value in (("accuracy", 0.75), ("log_loss", 0.5))]
    log.write("scores", split="test", model="best", rows=rows)
    log.write("scores", split="test", model="tfidf", rows=[{"task": "t", "metric": "accuracy", "value": 0.25}])
    loss = {"metric": "log_loss", "position": 1}
    genres = [group("poem", 0.5, low=0.25, high=math.nan), group("news", 0.875), group("few", 0.0, False)]
    genres += [group("poem", 0.25, **loss), group("news", 1.5, **loss)]
    log.write("group_scores", split="test", task="t", by_column="genre", rows=genres)
    log.write(
        "group_scores", split="test", task="t", by_column="size", rows=[group("long", 0.625), group("short", 1.0)]
    )
    log.write("run_finished", state="finished", seconds=1.0)
    log.close()


def test_the_worst_group_of_each_column_and_metric(results: Path) -> None:
    recorded(results)
    sql = "SELECT by_column, metric, worst, value, low, high, group_count, overall, gap FROM worst_groups ORDER BY ALL"
    assert [tuple(row.values()) for row in query(results, sql).to_pylist()] == [
        ("genre", "accuracy", "poem", 0.5, 0.25, None, 2, 0.75, 0.25),
        ("genre", "log_loss", "news", 1.5, None, None, 2, 0.5, 1.0),
        ("size", "accuracy", "long", 0.625, None, None, 2, 0.75, 0.125),
    ]


def test_a_run_is_shown_with_its_worst_groups(results: Path) -> None:
    recorded(results)
    found = show(results, "one")
    assert [(row["by_column"], row["worst"]) for row in found["worst_groups"]] == [
        ("genre", "poem"), ("genre", "news"), ("size", "long"),
    ]  # fmt: skip
    text = render_show(found)
    assert text.index("\nscores\n") < text.index("\nworst_groups\n") < text.index("\nattempts\n")


@law
@given(GROUPS)
def test_none_that_is_big_enough_is_below_the_worst(memory: Any, given: list[tuple[str, float, bool]]) -> None:
    clear(memory)
    insert(memory, "scores", [("r", 1, "test", "best", "t", "accuracy", 0, 0.5, None, None, 9)])
    insert(memory, "group_scores", [("r", 1, "test", "t", "c", name, "accuracy", 0, value, None, None, 9, enough) for name, value, enough in given])  # fmt: skip
    known = {name: value for name, value, enough in given if enough and math.isfinite(value)}
    found = rows(memory, "SELECT worst, value, gap, group_count FROM worst_groups")
    assert len(found) == bool(known)
    for worst, value, gap, count in found:
        assert value == known[worst] == min(known.values())
        assert (gap, count) == (0.5 - value, len(known))
