"""Facts of a report: what is asked for, ranks, axes, and numbers that are those of the tables."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.answers.choices import Choices
from runner.errors import RunnerError
from runner.parts.metrics.expected_calibration_error import ExpectedCalibrationError
from runner.store.boards import axis, grouped, ranked
from runner.store.facts import alike, facts
from runner.store.findings import BINS, calibrated, confused
from runner.store.grids import leaderboard
from runner.store.log import Log
from runner.store.query import query
from tests.reported import GOLD, PREDICTED, SURE, build, judged
from tests.store.conftest import NEW_YEAR, log_of, start

BY = {"key": "k", "higher": True}


@pytest.fixture
def told(results: Path) -> dict[str, Any]:
    return facts(build(results), ["grid"])


def test_a_board_has_all_runs_of_a_grid_the_best_on_validation_first(told: dict[str, Any]) -> None:
    (board,) = told["boards"]
    rows = [(row["rank"], row["run"], row["state"], row["point"]["train.learning_rate"]) for row in board["rows"]]
    assert rows == [
        (1, "grid-1", "finished", 0.2),
        (2, "grid-0", "finished", 0.1),
        (3, "grid-2", "finished", 0.3),
        (0, "grid-3", "failed", 0.4),
        (0, "grid-4", "planned", 0.5),
    ]
    assert [label["key"] for label in board["labels"]] == ["validation mood.macro_f1", "test mood.macro_f1"]
    assert board["by"]["key"] == "validation mood.macro_f1" and board["by"]["higher"]
    score = board["rows"][0]["scores"]["test mood.macro_f1"]
    assert (score["value"], score["low"], score["high"], score["majority"]) == (0.875, 0.75, 1.0, 0.125)
    assert told["states"] == {"failed": 1, "finished": 3}
    assert board["progress"][0] == {"run": "grid-1", "points": [[4, 0.375], [8, 0.75]]}


def test_runs_are_told_in_full_the_best_of_a_grid_or_those_that_are_named(results: Path) -> None:
    build(results)
    assert [run["run"] for run in facts(results, ["grid"])["runs"]] == ["grid-1", "grid-0", "grid-2"]
    assert [run["run"] for run in facts(results, ["grid-3", "many"])["runs"]] == ["grid-3", "many"]
    whole = facts(results)
    assert [board["title"] for board in whole["boards"]] == ["grid", "many"]
    assert [run["run"] for run in whole["runs"]] == ["grid-1", "many"]


def test_numbers_are_those_of_the_views(told: dict[str, Any], results: Path) -> None:
    task = told["runs"][0]["tasks"][0]
    rows = query(results, "FROM class_scores WHERE run = 'grid-1' ORDER BY f1, label").to_pylist()
    assert task["classes"] == [
        {key: row[key] for key in ("label", "precision", "recall", "f1", "support")} for row in rows
    ]
    counts = {(row["gold"], row["predicted"]): row["count"] for row in query(results, "FROM confusion WHERE run = 'grid-1'").to_pylist()}  # fmt: skip
    labels = task["confusions"]["labels"]
    assert task["confusions"]["matrix"] == [[counts.get((a, b), 0) for b in labels] for a in labels]
    assert [(each["gold"], each["predicted"], each["count"]) for each in task["confusions"]["pairs"]] == [("a", "b", 1), ("b", "a", 1)]  # fmt: skip
    assert [each["confidence"] for each in task["mistakes"]] == [0.8, 0.55]
    assert [(each["metric"], each["split"], each["value"]) for each in task["scores"]] == [
        ("macro_f1", "validation", 0.75), ("macro_f1", "test", 0.875),
    ]  # fmt: skip
    assert [(each["least"], each["most"], each["n"]) for each in task["lengths"]] == [(3, 4, 2), (5, 6, 2), (7, 7, 1), (8, 8, 1)]  # fmt: skip


def test_curves_have_a_line_a_split_and_sums_of_a_single_task_are_left_out(told: dict[str, Any]) -> None:
    charts = {(chart["task"], chart["metric"]): chart["lines"] for chart in told["runs"][0]["curves"]}
    assert list(charts) == [("mood", "loss"), ("mood", "macro_f1")]
    assert charts["mood", "loss"]["train"]["points"][:2] == [[1, 1.0], [2, 0.5]]
    assert charts["mood", "macro_f1"]["validation"]["points"] == [[4, 0.375], [8, 0.75]]


def test_long_curves_are_averaged_and_keep_their_mean(results: Path) -> None:
    log = log_of(results, "long")
    start(log)
    for step in range(1000):
        log.write("metrics", step=step, split="train", values={"loss": float(step)})
    line = facts(results, ["long"])["runs"][0]["curves"][0]["lines"]["train"]
    assert len(line["points"]) == 200 and line["averaged"] == 5
    assert [line["points"][0], line["points"][-1]] == [[4, 2.0], [999, 997.0]]


def test_the_other_shapes(results: Path) -> None:
    found = facts(build(results), ["many"])["runs"][0]
    tasks = {task["task"]: task for task in found["tasks"]}
    assert list(tasks) == ["stars", "topics", "names", "reply", "intent"]
    stars = tasks["stars"]
    assert [each["predicted"] for each in stars["mistakes"]] == ["1", "2.5"] and len(stars["dots"]) == 3
    assert sum(each["error"] * each["n"] for each in stars["lengths"]) == 3.5
    assert tasks["topics"]["per_class"] == [{"label": "b", "class_f1": 0.25}, {"label": "x", "class_f1": 0.75}]
    assert [each["metric"] for each in tasks["topics"]["scores"]] == ["micro_f1"]
    confusions = tasks["intent"]["confusions"]
    assert confusions["matrix"] is None and confusions["labels"] == 30 and len(confusions["pairs"]) == 20
    assert not tasks["reply"]["mistakes"] and not tasks["reply"]["classes"] and tasks["reply"]["confusions"] is None
    assert [(each["best"], each["before"], each["ended"]) for each in found["samples"]] == [("a text", "hm", False)]


def test_failures_environments_and_data(told: dict[str, Any]) -> None:
    (failure,) = told["failures"]
    assert (failure["run"], failure["kind"], failure["message"], failure["step"]) == ("grid-3", "OutOfMemory", "no memory a text", 3)  # fmt: skip
    (machine,) = told["environments"]
    assert machine["runs"] == ["grid-0", "grid-1", "grid-2"] and machine["packages"] == {"torch": "2.13.0"}
    (data,) = told["data"]
    assert data["files"][0]["file"] == "a text.csv" and data["steps"][0]["dropped"] == {"a text": 1}


def test_an_empty_store_and_names_that_are_none(results: Path) -> None:
    found = facts(results)
    assert (found["boards"], found["runs"], found["failures"]) == ([], [], [])
    build(results)
    with pytest.raises(RunnerError, match="names 0 runs") as caught:
        facts(results, ["gird"])
    assert "did you mean the grid `grid`?" in caught.value.hint
    with pytest.raises(RunnerError, match="names 4 runs"):
        facts(results, ["gri"])


def test_older_versions_of_a_grid_have_a_board_of_their_own(results: Path) -> None:
    build(results)
    log = Log(results / "runs" / "newer", "newer", 1, clock=lambda: NEW_YEAR + 1)
    log.write("grid", grid="grid", grid_key="other", position=0, point={"train.learning_rate": 0.1})
    start(log, name="grid")
    found = {board["title"]: [row["run"] for row in board["rows"]] for board in facts(results)["boards"]}
    assert found["grid"] == ["newer"] and found["grid, other runs"] == ["grid-1", "grid-0", "grid-2", "grid-3"]


def test_points_over_seeds_are_those_of_the_leaderboard(results: Path) -> None:
    build(results)
    assert facts(results, ["grid"])["boards"][0]["points"] == []
    for seed, value in ((2, 0.25), (3, 0.5)):
        log = log_of(results, f"seed-{seed}")
        log.write("grid", grid="grid", grid_key="k", position=9, point={"train.learning_rate": 0.1, "seed": seed})
        start(log, name="grid", spec_resolved={"tasks": {"mood": {}}})
        judged(log, "validation", "mood", "macro_f1", value)
        log.write("run_finished", state="finished", seconds=1.0)
    points = facts(results, ["grid"])["boards"][0]["points"]
    first = next(row for row in points if row["train.learning_rate"] == 0.1)
    assert (first["runs"], first["validation mood.macro_f1"], first["± validation mood.macro_f1"]) == (
        "3/3",
        0.4167,
        0.1443,
    )
    wanted = leaderboard(results, "grid")
    assert sorted(points, key=str) == sorted(wanted, key=str) and [row["rank"] for row in points] == [1, 2, 3, 4, 5]


def test_facts_are_json_and_hold_no_value_that_is_not_finite(results: Path) -> None:
    log = log_of(build(results), "odd")
    start(log, spec_resolved={"tasks": {"t": {}}})
    log.write("metrics", step=1, split="train", values={"loss": math.nan})
    log.write("scores", split="test", model="best", rows=[{"task": "t", "metric": "accuracy", "value": math.nan}])
    log.write(
        "answers", split="test", task="t", ids=["1"], gold=["a"], predicted=["b"], confidence=[math.nan], text=["x"]
    )
    text = json.dumps(facts(results), allow_nan=False)
    assert "NaN" not in text and "Infinity" not in text


# Laws.


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1)), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None, database=None)
def test_the_calibration_error_is_that_of_the_metric(given_: list[tuple[int, float]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet([1, 1, 1], len(given_))
    gold, predicted = np.array([each for each, _ in given_]), probabilities.argmax(1)
    answers = Choices("t", "test", ("a", "b", "c"), tuple(map(str, range(len(gold)))), gold, predicted, probabilities)
    rows: dict[int, list[tuple[float, bool]]] = {}
    for row, (a, b) in enumerate(zip(gold, predicted, strict=True)):
        place = min(max(math.ceil(probabilities[row, b] * BINS) - 1, 0), BINS - 1)
        rows.setdefault(place, []).append((probabilities[row, b], bool(a == b)))
    bins = [
        {"n": len(each), "confidence": float(np.mean([p for p, _ in each])), "accuracy": float(np.mean([r for _, r in each]))}
        for each in rows.values()
    ]  # fmt: skip
    found = calibrated(bins)
    whole = np.arange(len(gold))[None]
    assert found is not None
    assert found["error"] == pytest.approx(float(ExpectedCalibrationError().values(answers.resamples(whole))[0]))


def test_bins_of_the_store_are_those_of_the_metric(told: dict[str, Any]) -> None:
    found = told["runs"][0]["tasks"][0]["calibration"]
    assert {each["bin"]: each["n"] for each in found["bins"]} == {8: 2, 10: 1, 11: 1, 13: 1, 14: 1}
    right = [a == b for a, b in zip(GOLD, PREDICTED, strict=True)]
    gaps = [abs(np.mean([SURE[3], SURE[4]]) - 0.5) * 2] + [abs(SURE[at] - right[at]) for at in (0, 1, 2, 5)]
    assert found["error"] == pytest.approx(sum(gaps) / 6)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(-1, 1)), min_size=3, max_size=20))
@settings(max_examples=100, deadline=None, database=None)
def test_an_axis_has_every_run_once_and_a_share_of_the_variance(values: list[tuple[str, float]]) -> None:
    rows = [{"run": str(at), "point": {"x": name}, "scores": {"k": {"value": value}}} for at, (name, value) in enumerate(values)]  # fmt: skip
    found = axis("x", rows, BY)
    assert sum(each["runs"] for each in found["values"]) == len(values)
    whole = sum(each["mean"] * each["runs"] for each in found["values"])
    assert whole == pytest.approx(sum(value for _, value in values), abs=1e-9)
    assert found["share"] is None or 0 <= found["share"] <= 1


def test_an_axis_that_decides_all_has_all_of_the_variance() -> None:
    rows = [{"run": str(at), "point": {"x": at % 2}, "scores": {"k": {"value": float(at % 2)}}} for at in range(6)]
    assert axis("x", rows, BY) == {
        "field": "x",
        "share": 1.0,
        "values": [{"value": "0", "runs": 3, "mean": 0.0, "best": 0.0}, {"value": "1", "runs": 3, "mean": 1.0, "best": 1.0}],
    }  # fmt: skip


def test_many_numbers_are_put_into_ranges() -> None:
    found = grouped([(float(at), float(at)) for at in range(12)])
    assert {name: len(each) for name, each in found.items()} == {"0 to 2": 3, "3 to 5": 3, "6 to 8": 3, "9 to 11": 3}
    assert list(grouped([(True, 1.0), (None, 0.5), ("x", 0.25)])) == ["–", "True", "x"]


def test_ranks_where_lower_is_better_and_where_there_is_no_score() -> None:
    rows: list[dict[str, Any]] = [
        {"run": name, "started": None, "scores": {} if value is None else {"k": {"value": value}}}
        for name, value in (("a", 2.0), ("b", None), ("c", 1.0))
    ]
    ranked(rows, {"key": "k", "higher": False})
    assert [(row["run"], row["rank"]) for row in rows] == [("c", 1), ("a", 2), ("b", 0)]
    ranked(rows, None)
    assert [row["rank"] for row in rows] == [0, 0, 0]


def test_what_is_alike_is_told_once() -> None:
    assert alike({"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 1}}) == [
        {"runs": ["a", "c"], "x": 1},
        {"runs": ["b"], "x": 2},
    ]


def test_labels_that_only_answers_have_are_in_the_matrix() -> None:
    rows = [{"gold": "a", "predicted": "z", "count": 2, "support": 2}]
    assert confused(rows, ["a"]) == {"labels": ["a", "z"], "pairs": rows, "matrix": [[0, 2], [0, 0]]}
    assert confused([], ["a"]) is None
