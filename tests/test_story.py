"""One row of text, from its file to its metric in DuckDB."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.run.experiment import prepare, run
from runner.store.query import query


@pytest.mark.slow
def test_one_row_from_file_to_metric(tiny: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"

    # The author wrote a spec; the plan names what will happen and trains nothing.
    plan = prepare(tiny, results)
    (trial,) = plan.trials
    assert [step.name for step in trial.steps][-3:] == ["train", "evaluate", "export"]

    # The first line of test.csv became an example whose id is the hash of its text.
    row = plan.checked.loaded["films"].splits["test"].slice(0, 1).to_pylist()[0]
    assert row["line"] == 2 and row["file"] == "test.csv"

    # The run trains two heads and measures them.
    result = run(plan, trial, results, show=False)
    assert {score["task"] for score in result["scores"]} == {"mood", "length"}

    # Its answer stands in the store, under the same id, with its text.
    (answer,) = query(results, "SELECT * FROM answers WHERE id = ? AND task = 'mood'", [row["id"]]).to_pylist()
    assert answer["text"] == row["text"] and answer["gold"] == row["label"]

    # And the answers of all rows together are the score.
    (accuracy,) = query(
        results,
        "SELECT avg((gold = predicted)::INT) AS a FROM answers WHERE split = 'test' AND task = 'mood'",
    ).to_pylist()
    (score,) = query(
        results,
        "SELECT value, low, high, n FROM final_scores WHERE split = 'test' AND task = 'mood' AND metric = 'accuracy'",
    ).to_pylist()
    assert score["value"] == pytest.approx(accuracy["a"]) and score["low"] <= score["value"] <= score["high"]
    assert score["n"] == 24
