"""What is removed of old and failed runs, and what stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from runner.errors import RunnerError
from runner.store.prune import Wish, prune
from runner.store.query import query
from tests.store import runs
from tests.store.conftest import NEW_YEAR

DAY = 86_400
LATER = NEW_YEAR + 40 * DAY
WORSE = "abcab" * 7 + "ccccc"


@pytest.fixture
def store(results: Path) -> Path:
    """A grid of two points, a failed run, one that runs elsewhere, and a model each."""
    runs.run(results, "good-1", grid={"rate": 1}, experiment="g", split="validation")
    runs.run(results, "poor-1", WORSE, grid={"rate": 2}, experiment="g", split="validation")
    runs.run(results, "bad-1", state="failed")
    runs.run(results, "busy-1", state="running")
    for name in ("good-1", "poor-1", "bad-1", "busy-1"):
        for part in ("model", "state"):
            (results / "runs" / name / part).mkdir()
            (results / "runs" / name / part / "w").write_bytes(b"x" * 100)
    return results


def left(results: Path) -> list[str]:
    return [row["run"] for row in query(results, "SELECT run FROM runs ORDER BY run").to_pylist()]


def test_failed_runs_go_with_their_rows(store: Path) -> None:
    gone, spared = prune(store, Wish(failed=True), LATER, dry_run=True)
    assert ([each.run for each in gone], spared) == (["bad-1"], [])
    assert gone[0].bytes > 200
    assert left(store) == ["bad-1", "busy-1", "good-1", "poor-1"]
    prune(store, Wish(failed=True), LATER)
    assert left(store) == ["busy-1", "good-1", "poor-1"]
    assert not (store / "runs/bad-1").exists()


def test_the_best_of_a_grid_and_what_runs_stay_unless_asked(store: Path) -> None:
    gone, spared = prune(store, Wish(older=39 * DAY), LATER)
    assert ({each.run for each in gone}, spared) == ({"poor-1", "bad-1"}, ["good-1"])
    assert left(store) == ["busy-1", "good-1"]
    assert prune(store, Wish(older=41 * DAY), LATER) == ([], [])
    gone, _ = prune(store, Wish(older=39 * DAY, best=True), LATER)
    assert [each.run for each in gone] == ["good-1"]
    assert left(store) == ["busy-1"]


def test_models_alone_leave_all_rows(store: Path) -> None:
    gone, _ = prune(store, Wish(models=True, grid="g"), LATER)
    assert {(each.run, each.part, each.bytes) for each in gone} == {("poor-1", "model", 100), ("poor-1", "state", 100)}
    assert left(store) == ["bad-1", "busy-1", "good-1", "poor-1"]
    assert not (store / "runs/poor-1/model").exists()
    assert (store / "runs/good-1/model/w").exists()


def test_a_run_that_somebody_goes_on_with_stays(store: Path) -> None:
    with FileLock(store / "runs/bad-1/.lock"):
        assert prune(store, Wish(failed=True), LATER) == ([], [])
    assert "bad-1" in left(store)


def test_a_wish_that_names_nothing_or_no_grid(store: Path) -> None:
    with pytest.raises(RunnerError, match="would remove every run"):
        prune(store, Wish(), LATER)
    with pytest.raises(RunnerError, match="no grid `h`"):
        prune(store, Wish(grid="h"), LATER)


def test_all_that_finished_stays_of_a_grid_that_no_validation_judged(results: Path) -> None:
    for rate, answers in enumerate((WORSE, runs.GOLD)):
        runs.run(results, f"tested-{rate}", answers, grid={"rate": rate}, experiment="g", split="test")
    gone, spared = prune(results, Wish(older=DAY), LATER)
    assert (gone, sorted(spared)) == ([], ["tested-0", "tested-1"])


def test_what_cannot_be_removed_is_named_and_the_rest_is_told_as_it_is(store: Path) -> None:
    model = store / "runs/bad-1/model"
    model.rename(store / "kept")
    model.symlink_to(store / "kept", target_is_directory=True)
    with pytest.raises(RunnerError, match=r"cannot remove `.*bad-1/model`: "):
        prune(store, Wish(failed=True, models=True), LATER)
    assert (store / "kept/w").exists()
    assert left(store) == ["bad-1", "busy-1", "good-1", "poor-1"]
