"""Suggestions of a rate and a size of batches: where the loss falls, the same each time, and nothing is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cache.cache import Cache
from runner.run.experiment import prepare, run
from runner.run.tuning import fresh, needed, speeds_of, streams_of, text, tuned, worth
from runner.run.work import Work
from runner.store.query import query
from runner.train.rates import HIGH, LOW, Tried
from tests.conftest import TINY


@pytest.fixture
def found(tiny: Path) -> dict:
    return tuned(prepare(tiny, tiny.parent / "results"), tiny.parent / "results")


@pytest.mark.slow
def test_the_suggested_rate_learns_and_one_far_below_does_not(tiny: Path, found: dict) -> None:
    rate = found["learning_rate"]["suggested"]
    assert LOW < rate < HIGH and found["learning_rate"]["spec"] == 5e-3
    losses = []
    for number, each in enumerate((rate, rate / 1000)):
        results = tiny.parent / f"runs{number}"
        tiny.write_text(TINY.replace("learning_rate = 5e-3", f"learning_rate = {each:.12f}"), encoding="utf-8")
        made = prepare(tiny, results)
        run(made, made.trials[0], results, show=False)
        sql = "SELECT value FROM metrics WHERE metric = 'loss' AND task = 'mood' AND split = 'validation' ORDER BY step"
        losses.append([row["value"] for row in query(results, sql).to_pylist()][-1])
    assert losses[0] < losses[1]


@pytest.mark.slow
def test_the_same_spec_gets_the_same_rate_and_nothing_is_kept(tiny: Path, found: dict) -> None:
    results = tiny.parent / "results"
    again = tuned(prepare(tiny, results), results)
    assert again["learning_rate"] == found["learning_rate"]
    assert not (results / "runs").exists() and json.loads(json.dumps(found))["batch_size"]["spec"] == 8
    sizes = found["batch_size"]["examples_per_second"]
    assert found["batch_size"]["suggested"] in sizes and all(speed > 0 for speed in sizes.values())
    told = text(found)
    assert "learning rate: " in told and "(the spec has 5.0e-03)" in told and "batch size: " in told


def test_a_curve_is_read_where_the_loss_is_least() -> None:
    rates = [10.0**-power for power in range(6, -1, -1)]
    curve = Tried(rates, [2.0, 2.0, 1.9, 1.2, 0.8, 1.5, 9.0])
    assert curve.suggested == pytest.approx(1e-3) and curve.steepest == pytest.approx(1e-3)
    assert Tried(rates, [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6]).suggested is None
    assert Tried(rates[:3], [3.0, 2.0, 1.0]).suggested is None


def test_the_smallest_size_is_taken_that_is_nearly_the_fastest() -> None:
    assert worth({4: 10.0, 8: 18.0, 16: 25.0, 32: 26.0, 64: 27.0}) == 16
    assert worth({4: 10.0, 8: 9.9, 16: 13.0, 32: 12.9}) == 16
    assert worth({4: 10.0, 8: 10.0}) == 4 and worth({4: 10.0}) == 4 and worth({4: 10.0, 8: 20.0}) == 8


def test_sizes_stop_where_memory_or_rows_do(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.run import tuning

    plan = prepare(tiny, tiny.parent / "results")
    work = Work(plan, plan.trials[0], Path(), None, Cache(tiny.parent / "results/cache"))
    streams = streams_of(work)
    assert needed(plan.checked, plan, 64) > needed(plan.checked, plan, 8)
    monkeypatch.setattr(tuning, "free", lambda: 0)
    monkeypatch.setattr(tuning, "speed", lambda work, streams, size, network: 1.0 * size)
    assert list(speeds_of(work, streams)) == [4]
    monkeypatch.setattr(tuning, "free", lambda: 2**60)
    rows = sum(map(len, streams["train"].values()))
    assert all(4 * size <= rows for size in list(speeds_of(work, streams))[1:])
    module, feed = fresh(work, streams, 4)
    assert feed.experiment.train.batch_size == 4 and module.experiment.train.learning_rate == 5e-3
