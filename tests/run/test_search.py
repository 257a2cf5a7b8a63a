"""Searches: proposals follow from seed and history, pruned trials are kept as such, a stopped search goes on."""

from __future__ import annotations

import json
import math
import threading
from pathlib import Path
from typing import Any

import pytest

from runner.errors import Interrupted, RunnerError, SpecError
from runner.run.coordinator import Coordinator
from runner.run.experiment import prepared, resume
from runner.run.grid import carry_out
from runner.run.proposals import Proposals
from runner.run.search import Search, curve, excess, value
from runner.run.trial import carry_out as carry_out_one
from runner.spec.search import Bound, Pruner, Range
from runner.spec.search import Search as Table
from runner.store.grids import members
from runner.store.query import query
from tests.conftest import TINY

SEARCH = """
[search]
trials = 6
startup_trials = 2
{more}
[search.space]
"train.learning_rate" = {{ low = 1e-4, high = 1e-2, log = true }}
"train.batch_size" = {{ choices = [8, 16] }}
"""
HALVING = 'pruner = { type = "successive_halving", reduction = 2 }'
SPACE = {
    "a": Range(low=1e-4, high=1.0, log=True),
    "b": Range(low=1, high=9, step=2),
    "c": Range(choices=["x", {"y": 1}]),
}


def write(tiny: Path, more: str = "", execute: str = "workers = 1") -> Path:
    tiny.write_text(TINY.replace("threads = 1", f"threads = 1\n{execute}") + SEARCH.format(more=more), encoding="utf-8")
    return tiny


def told(proposals: Proposals, count: int, start: int = 0) -> list[dict[str, Any]]:
    """Points asked one after the other; near a = 0.01 is good."""
    found = []
    for number in range(start, start + count):
        trial = proposals.ask(number)
        found.append(proposals.point(trial))
        proposals.finished(trial, [-abs(math.log10(found[-1]["a"]) + 2)], {})
    return found


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes", "qmc", "random"])
def test_proposals_follow_from_the_seed_and_what_was_told(sampler: str) -> None:
    search = Table(trials=9, space=SPACE, sampler=sampler, startup_trials=3, sampler_seed=4)
    once, again = (told(Proposals(search, ["maximize"], 3), 8) for _ in range(2))
    assert once == again
    for point in once:
        assert 1e-4 <= point["a"] <= 1 and point["b"] in (1, 3, 5, 7, 9) and point["c"] in ("x", {"y": 1})
    assert len({point["a"] for point in once}) == 8


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_a_search_that_is_told_again_goes_on_as_if_it_had_never_stopped(sampler: str) -> None:
    search = Table(trials=9, space=SPACE, sampler=sampler, startup_trials=3)
    whole = told(Proposals(search, ["maximize"], 3), 9)
    resumed = Proposals(search, ["maximize"], 3)
    for point in whole[:5]:
        resumed.enqueue(point)
    assert told(resumed, 9) == whole


def test_a_search_that_learns_comes_near_sooner_than_chance() -> None:
    def best(sampler: str, seed: int) -> float:
        search = Table(trials=40, space=SPACE, sampler=sampler, startup_trials=8, sampler_seed=seed)
        return sum(abs(math.log10(point["a"]) + 2) for point in told(Proposals(search, ["maximize"], 3), 40)[20:])

    learned, chance = (sum(best(sampler, seed) for seed in range(3)) for sampler in ("tpe", "random"))
    assert learned < chance


def test_what_breaks_a_bound_is_never_best() -> None:
    search = Table(trials=9, space=SPACE, constraints={"seconds": Bound(at_most=1.0)})
    proposals = Proposals(search, ["maximize"], 3)
    for number, (score, seconds) in enumerate([(0.9, 5.0), (0.5, 0.5)]):
        trial = proposals.ask(number)
        proposals.finished(trial, [score], {"seconds": excess(seconds, search.constraints["seconds"])})
    assert proposals.study.best_trial.number == 1
    assert excess(0.3, Bound(at_least=0.5)) == pytest.approx(0.2) and excess(0.7, Bound(at_least=0.5)) < 0
    assert excess(math.nan, Bound(at_least=0.5)) == math.inf


@pytest.mark.parametrize("kind", ["median", "successive_halving", "hyperband", "patient"])
def test_a_trial_far_below_the_others_is_given_up_and_the_best_is_not(kind: str) -> None:
    rule = Pruner(type=kind, reduction=2, patience=1)
    search = Table(trials=99, space=SPACE, pruner=rule, startup_trials=1)
    proposals = Proposals(search, ["maximize"], 8)
    for number in range(8):
        trial = proposals.ask(number)
        proposals.hopeless(trial, {epoch: 0.5 + epoch / 100 for epoch in range(1, 9)})
        proposals.finished(trial, [0.6], {})
    bad = [proposals.ask(8 + number) for number in range(4)]
    assert any(proposals.hopeless(each, {epoch: 0.1 - epoch / 100 for epoch in range(1, 9)}) for each in bad)
    assert not proposals.hopeless(proposals.ask(20), {epoch: 0.8 + epoch / 100 for epoch in range(1, 9)})


@pytest.mark.slow
def test_a_search_prunes_records_and_trains_nothing_twice(tiny: Path, tmp_path: Path) -> None:
    spec, results = write(tiny, HALVING, "workers = 2"), tmp_path / "results"
    found = carry_out(prepared(spec, results), results, (), None)
    rows = members(results, "tiny")
    assert len(rows) == 6 and {row["state"] for row in rows} <= {"finished", "pruned"}
    assert len(found) == sum(row["state"] == "finished" for row in rows) > 0
    assert rows[0]["point"]["train.learning_rate"] == 5e-3, "the first has the spec's own values"
    logs = {path: path.read_bytes() for path in (results / "runs").glob("*/log.jsonl")}
    again = carry_out(prepared(spec, results), results, (), None)
    assert [each["run"] for each in again] == [each["run"] for each in found] and all(each["again"] for each in again)
    assert logs == {path: path.read_bytes() for path in logs}
    more = write(tiny, HALVING, "workers = 2").read_text(encoding="utf-8").replace("trials = 6", "trials = 8")
    spec.write_text(more, encoding="utf-8")
    carry_out(prepared(spec, results), results, (), None)
    assert len(members(results, "tiny")) == 8


@pytest.mark.slow
def test_a_search_that_was_stopped_ends_as_one_that_was_not(tiny: Path, tmp_path: Path) -> None:
    """One worker at a time: what is proposed follows from what is known, before and after."""
    spec, results, whole = write(tiny), tmp_path / "results", tmp_path / "whole"
    carry_out(prepared(spec, whole), whole, (), None)
    trials = prepared(spec, results)

    def stop(now: Coordinator) -> None:
        if len(now.ended) == 3 and now.running and not now.stops:
            now.stop()
            now.stop()

    Coordinator(trials, Search(trials, results, ()), results, (), stop).conduct()
    assert len([row for row in members(results, "tiny") if row["state"] == "finished"]) < 6
    carry_out(prepared(spec, results), results, (), None)
    assert [row["point"] for row in members(results, "tiny")] == [row["point"] for row in members(whole, "tiny")]
    sql = "SELECT run, metric, value FROM scores ORDER BY ALL"
    assert query(results, sql).to_pylist() == query(whole, sql).to_pylist()


@pytest.mark.slow
def test_a_trial_of_a_search_can_be_resumed_by_itself(tiny: Path, tmp_path: Path) -> None:
    spec, results, stop = write(tiny), tmp_path / "results", threading.Event()
    stop.set()
    sets = (("train.epochs", 2),)
    (entry,) = prepared(spec, results, sets=sets, point={"train.learning_rate": 2e-3, "train.batch_size": 16}).entries
    with pytest.raises(Interrupted):
        carry_out_one(entry.plan, entry.trial, results, stop, show=False)
    assert resume(results, entry.trial.run, show=False)["key"] == entry.trial.key


@pytest.mark.slow
def test_several_objectives_and_their_values(tiny: Path, tmp_path: Path) -> None:
    more = 'objective = ["mood.macro_f1", "seconds", "loss", "combined"]\nconstraints = { seconds = { at_most = 1e9 } }'
    spec, results = write(tiny, more.replace('"loss", ', "")), tmp_path / "results"
    trials = prepared(spec, results, sets=(("train.epochs", 1),))
    found = carry_out(trials, results, (("train.epochs", 1),), None)
    assert len(found) == 6
    folder = results / "runs" / found[0]["run"]
    (score,) = [
        row["value"]
        for row in found[0]["scores"]
        if (row["split"], row["model"], row["task"], row["metric"]) == ("validation", "best", "mood", "macro_f1")
    ]
    assert value(folder, "mood.macro_f1") == score == curve(folder, "mood.macro_f1")[1]
    assert value(folder, "seconds") == found[0]["seconds"] and value(folder, "loss") > 0
    assert math.isnan(value(folder, "nothing.macro_f1"))


def test_objectives_must_be_measured(tiny: Path, tmp_path: Path) -> None:
    for more in ('objective = "mood.makro_f1"', "constraints = { second = { at_most = 1 } }"):
        with pytest.raises(SpecError) as error:
            prepared(write(tiny, more), tmp_path / "results")
        assert "is measured" in error.value.diagnostics[0].message


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(RunnerError, match="a search needs the package `optuna`"):
        Proposals(Table(trials=1, space=SPACE), ["maximize"], 1)


def test_choices_are_json_to_optuna() -> None:
    proposals = Proposals(Table(trials=1, space=SPACE), ["maximize"], 1)
    assert proposals.inner("c", {"y": 1}) == json.dumps({"y": 1}) and proposals.outer("c", '{"y": 1}') == {"y": 1}
    assert proposals.holds("a", 0.5) and not proposals.holds("a", 2.0) and not proposals.holds("a", None)
    assert proposals.holds("c", "x") and not proposals.holds("c", "z") and not proposals.holds("b", 2.5)
