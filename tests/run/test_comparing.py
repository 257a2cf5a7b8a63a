"""`runner compare`: literal differences, laws of both sides, what is refused and what is warned of."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from runner import __main__ as program
from runner.errors import RunnerError
from runner.run.comparing import facts, text
from tests.store.conftest import log_of, start
from tests.store.runs import GOLD, run, said


def compared(results: Path, a: str = "one", b: str = "two", **options: Any) -> dict[str, Any]:
    return facts(results, a, b, **{"resamples": 200, **options})


def score(found: dict[str, Any], metric: str = "accuracy") -> dict[str, Any]:
    (row,) = [row for row in found["scores"] if row["metric"] == metric]
    return row


def seeds(results: Path, name: str, wrong: dict[int, int], **fields: Any) -> None:
    """Runs of an experiment: how many of 40 answers each seed has wrong."""
    for seed, count in wrong.items():
        run(results, f"{name}-s{seed}", said(GOLD, range(count)), experiment=name, seed=seed, **fields)


def close(value: float) -> Any:
    return pytest.approx(value, abs=1e-9)


# Two runs.


def test_two_runs_by_hand(tmp_path: Path) -> None:
    run(tmp_path, "one", said(GOLD, [1, 2, 3, 4, 5, 6]), spec={"train.epochs": 4})
    run(tmp_path, "two", said(GOLD, [7]), files={"test": "33"}, machine={"cores": 8, "packages": {"torch": "2.14.0"}})
    found = compared(tmp_path)
    assert found["kind"] == "runs" and found["a"] == {"named": "one", "runs": ["one"]}
    assert found["spec"] == [{"name": "train.epochs", "a": "4", "b": "3"}]
    assert found["data"] == [{"name": "films test", "a": "22 (40 rows)", "b": "33 (40 rows)"}]
    assert found["environment"] == [
        {"name": "cores", "a": "2", "b": "8"},
        {"name": "torch", "a": "2.13.0", "b": "2.14.0"},
    ]
    row = score(found)
    assert (row["a"], row["b"], row["difference"], row["n"]) == (0.85, 0.975, close(0.125), 40)
    assert row["mcnemar"] == 0.125  # 2 * (1 + 7) / 2 ** 7
    assert row["low"] <= 0.125 <= row["high"]
    # three tests: p of both metrics, and McNemar's
    chances = sorted([row["p"], row["mcnemar"], score(found, "macro_f1")["p"]])
    assert min(each["p_holm"] for each in found["scores"]) == close(min(1.0, 3 * chances[0]))


def test_identical_runs_give_nothing_and_p_one(tmp_path: Path) -> None:
    run(tmp_path, "one", said(GOLD, [1, 2]))
    run(tmp_path, "two", said(GOLD, [1, 2]))
    found = compared(tmp_path)
    assert [found[kind] for kind in ("spec", "data", "environment")] == [[], [], []]
    for row in found["scores"]:
        assert (row["difference"], row["low"], row["high"], row["p"], row["p_holm"]) == (0, 0, 0, 1, 1)
        assert row["better"] is None
    assert score(found)["mcnemar"] == 1 and score(found, "macro_f1")["mcnemar"] is None
    assert "spec: nothing differs" in text(found)


def test_the_other_way_round_has_the_other_sign(tmp_path: Path) -> None:
    run(tmp_path, "one", said(GOLD, range(12)))
    run(tmp_path, "two", said(GOLD, range(9, 14)))
    there, back = compared(tmp_path), compared(tmp_path, "two", "one")
    for a, b in zip(there["scores"], back["scores"], strict=True):
        assert (a["difference"], a["low"], a["high"]) == (close(-b["difference"]), close(-b["high"]), close(-b["low"]))
        assert all(a[name] == b[name] for name in ("p", "p_holm", "mcnemar", "n", "metric"))
        assert {a["better"], b["better"]} in ({None}, {"a", "b"})


def test_a_real_difference_names_the_better_side(tmp_path: Path) -> None:
    run(tmp_path, "one", said(GOLD, range(20)), scores={"accuracy": 0.5})
    run(tmp_path, "two", GOLD, scores={"accuracy": 1.0})
    assert score(compared(tmp_path))["better"] == "b"
    assert score(compared(tmp_path, "two", "one"))["better"] == "a"
    assert not compared(tmp_path)["warnings"]


def test_a_difference_inside_the_noise_is_warned_of(tmp_path: Path) -> None:
    run(tmp_path, "one", said(GOLD, [1, 2, 3]))
    run(tmp_path, "two", said(GOLD, [3, 4]))
    (warning,) = compared(tmp_path)["warnings"]
    assert warning.startswith("inside the noise") and warning.endswith("mood.accuracy, mood.macro_f1")


def test_a_difference_below_the_luck_of_seeds_is_warned_of(tmp_path: Path) -> None:
    seeds(tmp_path, "many", {13: 0, 14: 12})
    run(tmp_path, "two", said(GOLD, [1]), spec={"train.epochs": 9})
    told = [each for each in compared(tmp_path, "many-s13")["warnings"] if "standard deviation" in each]
    sd = stats.tstd([1, 1 - 12 / 40])
    assert told[0] == (
        f"mood.accuracy: 2 seeds of one setting have a standard deviation of {sd:.3g}, more than this difference of -0.025"
    )


def test_examples_are_matched_by_id_or_else_by_text(tmp_path: Path) -> None:
    run(tmp_path, "one", said(GOLD, [1, 2]))
    run(tmp_path, "two", said(GOLD, [1, 2]), ids=[f"other{place}" for place in range(40)])
    assert [row["n"] for row in compared(tmp_path)["scores"]] == [40, 40]


def test_only_common_examples_count_and_the_rest_is_told(tmp_path: Path) -> None:
    run(tmp_path, "one", said(GOLD, [1, 2]))
    run(tmp_path, "two", said(GOLD[:30], [1]), gold=GOLD[:30])
    found = compared(tmp_path)
    row = score(found)
    assert (row["a"], row["b"], row["n"]) == (close(28 / 30), close(29 / 30), 30)
    assert "mood, test: 30 examples in common; 10 only in a, 0 only in b" in found["warnings"]


def test_examples_with_another_gold_are_left_out(tmp_path: Path) -> None:
    run(tmp_path, "one")
    gold = "c" + GOLD[1:]
    run(tmp_path, "two", gold, gold=gold)
    found = compared(tmp_path)
    assert score(found)["n"] == 39
    assert "mood, test: 1 examples have another gold in b; they are left out" in found["warnings"]


def test_a_score_that_the_answers_do_not_give_has_no_test(tmp_path: Path) -> None:
    run(tmp_path, "one", scores={"accuracy": 1.0, "macro_f1": 0.25, "gone": 0.5})
    run(tmp_path, "two", scores={"accuracy": 1.0, "macro_f1": 0.75, "gone": 1.0})
    found = compared(tmp_path)
    row = score(found, "macro_f1")
    assert (row["a"], row["b"], row["difference"], row["p"], row["low"]) == (0.25, 0.75, 0.5, None, None)
    assert "no test of mood.macro_f1, mood.gone: can't be recomputed here from the kept answers" in found["warnings"]
    assert score(found)["p"] == 1.0


def test_validation_counts_where_a_side_has_no_test(tmp_path: Path) -> None:
    for name, splits in {"one": ("validation", "test"), "two": ("validation",)}.items():
        for split in splits:
            run(tmp_path, name, split=split)
    assert {row["split"] for row in compared(tmp_path)["scores"]} == {"validation"}


def test_what_a_model_wrote_is_compared_too(tmp_path: Path) -> None:
    for name, texts in {"one": ["a", "b", "c"], "two": ["a", "x", "y"]}.items():
        log = log_of(tmp_path, name)
        start(log)
        shared = {"split": "test", "task": "chat", "model": "best"}
        log.write("samples", **shared, ids=["1", "2", "3"], prompt=["p"] * 3, gold=["a", "b", "c"], text=texts)
        right = sum(map(str.__eq__, texts, "abc")) / 3
        log.write(
            "scores", split="test", model="best", rows=[{"task": "chat", "metric": "exact_match", "value": right}]
        )
        log.write("run_finished", state="finished", seconds=1.0)
        log.close()
    row = score(compared(tmp_path), "exact_match")
    assert (row["difference"], row["n"], row["mcnemar"]) == (close(-2 / 3), 3, 0.5)


def test_runs_without_common_examples_are_refused_with_what_to_do(tmp_path: Path) -> None:
    run(tmp_path, "one")
    log = log_of(tmp_path, "two")
    start(log)
    log.write("scores", split="test", model="best", rows=[{"task": "mood", "metric": "accuracy", "value": 1.0, "n": 1}])
    log.write("answers", split="test", task="mood", labels=["a"], ids=["x"], gold=["a"], predicted=["a"], text=["else"])
    log.write("run_finished", state="finished", seconds=1.0)
    log.close()
    with pytest.raises(RunnerError) as caught:
        compared(tmp_path)
    assert caught.value.message == "`one` and `two` answered no example in common"
    assert "FROM compare('one', 'two')" in caught.value.hint


def test_runs_without_a_common_task_are_refused(tmp_path: Path) -> None:
    run(tmp_path, "one")
    run(tmp_path, "two", task="topic")
    with pytest.raises(RunnerError) as caught:
        compared(tmp_path)
    assert caught.value.message == "`one` and `two` have no task in common"
    assert caught.value.hint == "the first has `mood`, the second `topic`"


@pytest.mark.parametrize("options", [{"confidence": 1.0}, {"confidence": 95.0}, {"resamples": 0}])
def test_impossible_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(RunnerError, match="a confidence lies between 0 and 1"):
        compared(tmp_path, **options)


# Two experiments.


def test_seeds_are_pairs(tmp_path: Path) -> None:
    seeds(tmp_path, "small", {13: 8, 14: 10, 15: 6})
    seeds(tmp_path, "large", {13: 4, 14: 5, 15: 4, 16: 0}, spec={"train.epochs": 9})
    found = compared(tmp_path, "small", "large")
    assert found["kind"] == "experiments"
    assert found["spec"] == [
        {"name": "seed", "a": "13 | 14 | 15", "b": "13 | 14 | 15 | 16"},
        {"name": "train.epochs", "a": "3", "b": "9"},
    ]
    row = score(found)
    one, other = [32 / 40, 30 / 40, 34 / 40], [36 / 40, 35 / 40, 36 / 40]
    wanted = stats.ttest_rel(other, one)
    ends = wanted.confidence_interval(0.95)
    assert (row["a"], row["b"], row["n"], row["test"]) == (close(0.8), close(107 / 120), 3, "paired t")
    assert (row["low"], row["high"], row["p"]) == (close(ends.low), close(ends.high), close(wanted.pvalue))
    pooled = math.sqrt((stats.tvar(one) + stats.tvar(other)) / 2)
    assert row["cohen_d"] == close((107 / 120 - 0.8) / pooled)
    assert "3 pairs by seed; 0 of a and 1 of b have none and are left out" in found["warnings"]


def test_experiments_the_other_way_round_have_the_other_sign(tmp_path: Path) -> None:
    seeds(tmp_path, "small", {13: 8, 14: 10, 15: 6})
    seeds(tmp_path, "large", {13: 4, 14: 5, 15: 4}, spec={"train.epochs": 9})
    for a, b in zip(
        *(compared(tmp_path, *pair)["scores"] for pair in (("small", "large"), ("large", "small"))), strict=True
    ):
        assert (a["difference"], a["low"], a["high"]) == (close(-b["difference"]), close(-b["high"]), close(-b["low"]))
        assert a["p"] == close(b["p"]) and a["cohen_d"] == close(-b["cohen_d"])


def test_an_experiment_beside_itself_does_not_differ(tmp_path: Path) -> None:
    seeds(tmp_path, "small", {13: 8, 14: 10, 15: 6})
    row = score(compared(tmp_path, "small", "small"))
    assert (row["difference"], row["low"], row["high"], row["p"], row["cohen_d"]) == (0, 0, 0, 1, 0)


def test_a_difference_of_means_inside_the_noise_is_warned_of(tmp_path: Path) -> None:
    seeds(tmp_path, "small", {13: 8, 14: 2, 15: 6})
    seeds(tmp_path, "large", {13: 2, 14: 8, 15: 5}, spec={"train.epochs": 9})
    assert any(each.startswith("inside the noise") for each in compared(tmp_path, "small", "large")["warnings"])


def test_without_common_seeds_means_are_compared(tmp_path: Path) -> None:
    seeds(tmp_path, "small", {13: 8, 14: 10})
    seeds(tmp_path, "large", {15: 4, 16: 5}, spec={"train.epochs": 9})
    found = compared(tmp_path, "small", "large")
    row = score(found)
    wanted = stats.ttest_ind([36 / 40, 35 / 40], [32 / 40, 30 / 40], equal_var=False)
    assert (row["test"], row["n"], row["n_a"], row["n_b"]) == ("Welch t", None, 2, 2)
    assert row["p"] == close(wanted.pvalue) and "  2, 2" in text(found)
    assert "0 seeds in common: means are compared without pairs" in found["warnings"]


def test_experiments_over_other_files_are_warned_of(tmp_path: Path) -> None:
    seeds(tmp_path, "small", {13: 8, 14: 10})
    seeds(tmp_path, "large", {13: 4, 14: 7}, files={"test": "33", "train": "44"})
    warnings = compared(tmp_path, "small", "large")["warnings"]
    assert [each for each in warnings if "files" in each] == [
        "the files of films test differ: these are scores of other examples"
    ]


def test_one_pair_says_nothing_of_the_noise(tmp_path: Path) -> None:
    seeds(tmp_path, "small", {13: 8, 14: 10})
    seeds(tmp_path, "large", {14: 4}, spec={"train.epochs": 9})
    found = compared(tmp_path, "small", "large")
    row = score(found)
    assert (row["difference"], row["low"], row["p"], row["n"]) == (close(6 / 40), None, None, 1)
    assert any(each.startswith("one pair tells nothing of the noise") for each in found["warnings"])


def test_points_of_grids_are_compared_value_by_value_and_count_once_a_seed(tmp_path: Path) -> None:
    wrong = {(4, 1): 8, (4, 2): 10, (8, 1): 4, (8, 2): 7}
    for (rank, rate), count in wrong.items():
        for seed in (13, 14, 15):
            spec = {"model.adapter.rank": rank, "train.learning_rate": rate}
            given = {"experiment": "g", "spec": spec, "grid": spec, "seed": seed}
            run(tmp_path, f"g-{rank}-{rate}-{seed}", said(GOLD, range(count + (rank == 8) * (seed - 13))), **given)
    found = compared(tmp_path, "g:model.adapter.rank=4", "g:model.adapter.rank=8")
    row = score(found)
    wanted = stats.ttest_1samp([3.5 / 40, 2.5 / 40, 1.5 / 40], 0)
    assert (row["n"], row["difference"], row["p"]) == (3, close(2.5 / 40), close(wanted.pvalue))
    assert [each["name"] for each in found["spec"]] == ["model.adapter.rank"]
    assert "`train.learning_rate` varies on both sides: differences are averaged for each seed" in found["warnings"]


def test_many_points_with_one_seed_are_one_pair(tmp_path: Path) -> None:
    for rank in (4, 8):
        for rate in (1, 2):
            spec = {"model.adapter.rank": rank, "train.learning_rate": rate}
            run(tmp_path, f"g-{rank}-{rate}", said(GOLD, range(rank)), experiment="g", spec=spec, grid=spec)
    row = score(compared(tmp_path, "g:model.adapter.rank=4", "g:model.adapter.rank=8"))
    assert (row["n"], row["difference"], row["low"], row["p"], row["cohen_d"]) == (1, close(-0.1), None, None, None)


def test_what_varies_on_one_side_is_averaged_and_told(tmp_path: Path) -> None:
    for rank, count in {4: 8, 8: 4}.items():
        for seed in (13, 14):
            spec = {"model.adapter.rank": rank}
            run(tmp_path, f"g-{rank}-{seed}", said(GOLD, range(count)), experiment="g", seed=seed, spec=spec, grid=spec)
    seeds(tmp_path, "plain", {13: 10, 14: 12})
    found = compared(tmp_path, "plain", "g")
    assert score(found)["b"] == close(34 / 40) and score(found)["n"] == 2
    assert any(each.startswith("b has several values of `model.adapter.rank`") for each in found["warnings"])


def test_experiments_without_a_common_task_are_refused(tmp_path: Path) -> None:
    seeds(tmp_path, "small", {13: 8, 14: 10})
    seeds(tmp_path, "large", {13: 8, 14: 10}, task="topic")
    with pytest.raises(RunnerError, match="no task in common") as caught:
        compared(tmp_path, "small", "large")
    assert caught.value.hint == "a has `mood`, b `topic`"


# The verb.


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The program with these words: its exit code and what it prints."""

    def runner(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["runner", *words, "--results", str(tmp_path)])
        code, told = program.code(), capsys.readouterr()
        return code, told.out + told.err

    return runner


def test_the_verb_prints_tables_or_json(tmp_path: Path, runner: Any) -> None:
    run(tmp_path, "one", said(GOLD, range(9)), spec={"train.epochs": 4})
    run(tmp_path, "two", said(GOLD, [1]))
    words = ["compare", "one", "two", "--resamples", "100"]
    code, shown = runner(*words)
    assert code == 0 and "  train.epochs  4  3\n" in shown
    (line,) = [line for line in shown.splitlines() if line.split()[:3] == ["mood", "test", "accuracy"]]
    assert line.split()[3:6] == ["0.7750", "0.9750", "+0.2000"]
    assert json.loads(runner(*words, "--json")[1]) == json.loads(json.dumps(compared(tmp_path, resamples=100)))


def test_an_unknown_run_ends_with_1_and_the_nearest_match(tmp_path: Path, runner: Any) -> None:
    run(tmp_path, "quickstart-s13")
    code, shown = runner("compare", "quickstrat-s13", "quickstart-s13")
    assert code == 1 and "did you mean `quickstart-s13`?" in shown


def test_comparing_loads_no_heavy_library(tmp_path: Path) -> None:
    run(tmp_path, "one", said(GOLD, [1]))
    seeds(tmp_path, "two", {13: 2, 14: 3})
    source = """
import sys
from runner.cli import call
for words in (["one", "two-s13"], ["two", "one"]):
    call(["compare", *words, "--results", sys.argv[1]])
print("LOADED", [name for name in ("torch", "lightning", "transformers", "peft", "datasets", "sklearn") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", source, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("LOADED []")
