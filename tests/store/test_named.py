"""Words for one side of a comparison: runs, grids, experiments, specs, points; and what was meant instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.store.named import named
from tests.store.runs import run


def refused(results: Path, word: str) -> tuple[str, str]:
    with pytest.raises(RunnerError) as caught:
        named(results, word)
    return caught.value.message, caught.value.hint


def test_a_name_a_unique_beginning_and_an_experiment(results: Path) -> None:
    for seed in (13, 14):
        run(results, f"toy-s{seed}-0{seed}", seed=seed)
    run(results, "other-s13-99", experiment="other")
    assert named(results, "toy-s13-013").runs == ("toy-s13-013",)
    assert named(results, "toy-s14").runs == ("toy-s14-014",)
    assert named(results, "other").runs == named(results, "oth").runs == ("other-s13-99",)
    assert named(results, "toy") == ("toy", ("toy-s13-013", "toy-s14-014"))


def test_a_word_that_names_nothing_has_the_nearest_match(results: Path) -> None:
    run(results, "toy-s13-013", experiment="toyota")
    assert refused(results, "toy-s13-014") == (
        "`toy-s13-014` names no run, grid or experiment",
        "did you mean `toy-s13-013`?",
    )
    assert refused(results, "tayota")[1] == "did you mean `toyota`?"
    assert refused(results, "xyz")[1] == "`runner ls` lists the runs"


def test_a_beginning_of_several_runs_is_refused(results: Path) -> None:
    for name in ("first", "fifth"):
        run(results, name)
    assert refused(results, "fi") == ("`fi` names 2 runs", "did you mean one of `fifth`, `first`")


def test_an_empty_word_names_nothing(results: Path) -> None:
    run(results, "first")
    assert refused(results, "")[0] == "`` names no run, grid or experiment"


def test_what_is_not_finished_is_left_out_or_refused(results: Path) -> None:
    run(results, "one", seed=13)
    run(results, "two", seed=14, state="failed")
    assert named(results, "toy").runs == ("one",)
    assert refused(results, "two") == ("`two` has no finished run", "`two` is failed; `runner ls` shows all")


def test_a_grid_has_the_runs_that_others_did_for_it(results: Path) -> None:
    run(results, "lone-1", experiment="lone")
    log = run(results, "g-1", experiment="g", seed=14, grid={"seed": 14})
    assert log
    from runner.store.log import Log

    other = Log(results / "runs" / "lone-1", "lone-1", 0)
    other.write("grid", grid="g", grid_key="g1", position=1, point={"seed": 13})
    other.close()
    assert named(results, "g").runs == ("g-1", "lone-1")


def test_an_experiment_has_the_seeds_that_another_trained_before(results: Path) -> None:
    # `seeds` asked for 13, 14 and 15; 13 was there already, 16 is nobody's business
    run(results, "first-s13", experiment="first", seed=13)
    run(results, "first-s16", experiment="first", seed=16, plan="p2")
    for seed in (14, 15):
        run(
            results,
            f"seeds-s{seed}",
            experiment="seeds",
            seed=seed,
            spec={"seeds": json.dumps([13, 14, 15])},
            plan="p3",
        )
    assert named(results, "seeds").runs == ("first-s13", "seeds-s14", "seeds-s15")


def test_an_experiment_is_what_was_planned_last(results: Path) -> None:
    run(results, "old", plan="p1", spec={"train.epochs": 9})
    from runner.store.log import Log

    log = Log(results / "runs" / "new", "new", 1, clock=lambda: 1704067300.0)
    log.write("run_started", name="toy", seed=13, plan_key="p2", pid=7, host="elsewhere", params={"train.epochs": 8})
    log.write("run_finished", state="finished", seconds=1.0)
    log.close()
    assert named(results, "toy").runs == ("new",)


def test_points_are_chosen_by_their_fields(results: Path) -> None:
    for rank in (4, 8):
        for rate in (0.001, 0.003):
            spec = {"model.adapter.rank": rank, "train.learning_rate": rate, "model.adapter.type": "lora"}
            run(results, f"g-{rank}-{rate}", experiment="g", spec=spec, grid=spec)
    assert named(results, "g:model.adapter.rank=4").runs == ("g-4-0.001", "g-4-0.003")
    assert named(results, "g:model.adapter.rank=8,train.learning_rate=3e-3").runs == ("g-8-0.003",)
    assert len(named(results, "g:model.adapter.type=lora").runs) == 4
    assert refused(results, "g:model.adapter.rnk=4")[1] == "did you mean `model.adapter.rank`?"
    assert refused(results, "g:model.adapter.rank=16") == (
        "`g:model.adapter.rank=16`: no run has model.adapter.rank = 16",
        "there are `4`, `8`",
    )
    assert refused(results, "g:model.adapter.type=1e3")[1] == "there are `lora`"


def test_the_file_of_a_spec_stands_for_its_name(results: Path, tiny: Path) -> None:
    run(results, "tiny-s13-1", experiment="tiny")
    assert named(results, str(tiny)).runs == ("tiny-s13-1",)
