"""Groups of a real run: their scores are those of the answers in the store, and the page tells them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.report.results import page
from runner.run.experiment import prepare, run
from runner.run.reporting import facts
from runner.store.query import query
from tests.plan.test_check import change

FROM_ANSWERS = """
    SELECT CASE WHEN len(string_split(text, ' ')) <= 8 THEN '000 to 008' ELSE '009 to 016' END AS name,
           avg((gold = predicted)::INT) AS value, count(*) AS n
    FROM answers WHERE task = 'mood' AND split = 'test' GROUP BY name ORDER BY name
"""
RECORDED = """
    SELECT group_name AS name, value, n FROM group_scores
    WHERE task = 'mood' AND metric = 'accuracy' AND by_column = $column ORDER BY name
"""


@pytest.mark.slow
def test_groups_are_scored_and_told(tiny: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    change(tiny, "[evaluate]", '[evaluate]\nby = ["size", "length_bucket"]\nsmallest_group = 2')
    change(tiny, "epochs = 3", "epochs = 1")
    plan = prepare(tiny, results)
    run(plan, plan.trials[0], results, show=False)
    told = query(results, FROM_ANSWERS).to_pylist()
    found = query(results, RECORDED, {"column": "length_bucket"}).to_pylist()
    assert [(row["name"], pytest.approx(row["value"]), row["n"]) for row in told] == [
        tuple(row.values()) for row in found
    ]
    sizes = query(results, RECORDED, {"column": "size"}).to_pylist()
    assert [(row["name"], row["n"]) for row in sizes] == [("long", found[1]["n"]), ("short", found[0]["n"])]
    assert {row["split"] for row in query(results, "SELECT DISTINCT split FROM group_scores").to_pylist()} == {"test"}
    text = page(facts(results, []))
    assert "Scores by group" in text and "009 to 016" in text
