"""All runs at a glance, and one run in full, by its name or a beginning of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from runner.errors import RunnerError
from runner.store.query import render
from runner.store.show import render_show, runs, show, unique
from tests.store.conftest import NEW_YEAR, log_of, start

SCORES = [
    {"task": "mood", "metric": "accuracy", "value": 0.75, "low": 0.5, "high": 1.0, "n": 8},
    {"task": "mood", "metric": "f1", "value": 0.5},
]


def resumed(results: Path, run: str) -> None:
    """A run that failed, and was finished by another attempt."""
    log = log_of(results, run)
    start(log, name="films", time=NEW_YEAR - 30)
    log.write("failure", kind="ValueError", message="no", trace="line 1", step=3)
    log.write("run_finished", state="failed", seconds=1.0)
    log = log_of(results, run, attempt=2)
    start(log, name="films", description="a first try", seed=13, params={"train.rate": 0.5, "seed": 13})
    log.write("stage", name="train", cached=False, reason="new", rows=24, seconds=1.25)
    log.write("scores", split="test", model="best", rows=SCORES)
    log.write("scores", split="test", model="majority", rows=[SCORES[0] | {"value": 0.25}])
    log.write("artifact", name="model", path="model/a", bytes=9)
    log.write("run_finished", state="finished", seconds=2.5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs; no test adds to them."""
    results = tmp_path_factory.mktemp("store")
    resumed(results, "films-s13-aaaa")
    failing = log_of(results, "films-s13-bbbb")
    start(failing, time=NEW_YEAR - 60, seed=7)
    failing.write("run_finished", state="failed", seconds=1.0)
    start(log_of(results, "films"), time=NEW_YEAR + 60)
    return results


LS = """
 run              state      seed   started               seconds   test
 ────────────────────────────────────────────────────────────────────────────────────────
 films-s13-bbbb   failed        7   2023-12-31 23:59:00         1
 films-s13-aaaa   finished     13   2023-12-31 23:59:30       3.5   mood.accuracy=0.750
 films            running      13   2024-01-01 00:01:00
"""


def words(text: str) -> list[list[str]]:
    """The cells of each line, without rulers and widths."""
    return [line.replace("─", "").split() for line in text.splitlines() if line.replace("─", "").strip()]


def test_all_runs_are_listed_the_newest_last(store: Path) -> None:
    assert words(render(runs(store))) == words(LS)


def test_no_runs_are_an_empty_list(results: Path) -> None:
    found = runs(results)
    assert found.to_pylist() == [] and found.column_names == ["run", "state", "seed", "started", "seconds", "test"]


def test_main_scores_of_all_tasks_are_listed(results: Path) -> None:
    log = log_of(results)
    start(log)
    for task in ("b", "a"):
        rows = [{"task": task, "metric": "f1", "value": 0.5}, {"task": task, "metric": "ece", "value": 0.1}]
        log.write("scores", split="test", model="best", rows=rows if task == "b" else rows[:1])
    assert [row["test"] for row in runs(results).to_pylist()] == ["a.f1=0.500 b.f1=0.500"]


@pytest.fixture(scope="module")
def shown(store: Path) -> dict[str, Any]:
    return show(store, "films-s13-aaaa")


def test_a_run_is_shown_with_all_that_was_recorded(shown: dict[str, Any]) -> None:
    assert [shown[name] for name in ("run", "state", "seed", "seconds")] == ["films-s13-aaaa", "finished", 13, 3.5]
    assert (shown["started"], shown["finished"]) == (datetime(2023, 12, 31, 23, 59, 30), datetime(2024, 1, 1))
    assert [(row["metric"], row["value"], row["n"], row["baseline_majority"]) for row in shown["scores"]] == [
        ("accuracy", 0.75, 8, 0.25),
        ("f1", 0.5, None, None),
    ]
    assert shown["params"] == [{"name": "seed", "value": "13"}, {"name": "train.rate", "value": "0.5"}]
    assert shown["stages"] == [
        {"attempt": 2, "name": "train", "cached": False, "rows": 24, "seconds": 1.25, "reason": "new"}
    ]
    assert [(row["attempt"], row["state"]) for row in shown["attempts"]] == [(1, "failed"), (2, "finished")]
    assert shown["artifacts"] == [{"name": "model", "bytes": 9, "path": "model/a"}]
    assert shown["failures"] == [{"attempt": 1, "kind": "ValueError", "message": "no", "trace": "line 1"}]


TEXT = """
run          films-s13-aaaa
state        finished
name         films
description  a first try
seed         13
started      2023-12-31 23:59:30
finished     2024-01-01 00:00:00
seconds      3.5

scores
split  task  metric    value  low  high  baseline_majority  baseline_tfidf  before_training  n
test   mood  accuracy  0.75   0.5  1     0.25                               8
test   mood  f1        0.5

params
name        value
seed        13
train.rate  0.5

stages
attempt  name   cached  rows  seconds  reason
2        train  False   24    1.25     new

attempts
attempt  state     started              seconds  host
1        failed    2023-12-31 23:59:30  1        elsewhere
2        finished  2024-01-01 00:00:00  2.5      elsewhere

artifacts
name   bytes  path
model  9      model/a

failures
attempt  kind        message  trace
1        ValueError  no       line 1
"""


def test_a_run_is_shown_for_people(shown: dict[str, Any]) -> None:
    assert words(render_show(shown)) == words(TEXT)


def test_a_unique_beginning_is_enough(store: Path) -> None:
    assert unique(store, "films-s13-b") == "films-s13-bbbb"


def test_a_whole_name_wins_over_those_that_begin_with_it(store: Path) -> None:
    assert unique(store, "films") == "films"


def fault(results: Path, run: str) -> tuple[str, str]:
    with pytest.raises(RunnerError) as caught:
        show(results, run)
    return caught.value.message, caught.value.hint


def test_a_beginning_of_several_names_them(store: Path) -> None:
    assert fault(store, "films-s13") == (
        "`films-s13` names 2 runs",
        "did you mean one of `films-s13-aaaa`, `films-s13-bbbb`",
    )


def test_an_unknown_name_is_answered_with_the_nearest(store: Path) -> None:
    assert fault(store, "film-s13-aaab") == ("`film-s13-aaab` names 0 runs", "did you mean `films-s13-aaaa`?")


def test_a_name_like_no_other_is_answered_with_the_list(store: Path) -> None:
    assert fault(store, "zzz") == ("`zzz` names 0 runs", "`runner ls` lists the runs")
