"""Scorecards: pass, fail or undefined, by the criteria of the run or of a spec, for a run or the best of a grid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli import call
from runner.errors import RunnerError
from runner.report.results import page
from runner.run.reporting import facts as reported
from runner.run.scorecard import Found, criterion, facts
from runner.spec.require import Require
from tests.store.conftest import log_of, new, results, start  # noqa: F401
from tests.store.runs import GOLD, run, said

RULES = {
    "accuracy": {"at_least": 0.8},
    "mood.macro_f1": {"at_least": 0.8, "with": "lower_bound"},
    "mood.loss": {"at_most": 0.6},
    "precision": {"at_least": 0.5},
}


def judged(results: Path, run: str, rules: dict[str, Any], value: float = 0.9, **more: Any) -> None:  # noqa: F811
    """A finished run whose chosen checkpoint, at step 4, has a validation loss of 0.5."""
    log = log_of(results, run)
    spec = {"tasks": {"mood": {}}, "train": {"select_by": "combined"}, "evaluate": {"require": rules}}
    start(log, spec_resolved=spec, params={}, **more)
    for step, combined, loss in ((2, 0.1, 0.7), (4, 0.9, 0.5), (6, 0.9, 0.4), (8, 0.2, 0.1)):
        log.write("metrics", step=step, split="validation", values={"combined": combined, "mood.loss": loss})
    for split in ("validation", "test"):
        rows = [
            {"task": "mood", "metric": "macro_f1", "value": value, "low": value - 0.15, "high": 1.0, "n": 40},
            {"task": "mood", "metric": "accuracy", "value": value, "n": 40},
            {"task": "mood", "metric": "recall", "value": float("nan"), "n": 40},
        ]
        log.write("scores", split=split, model="best", rows=rows)
    log.write("run_finished", state="finished", seconds=1.0)
    log.close()


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {row["criterion"]: row["verdict"] for row in found["criteria"]}


def test_each_criterion_passes_fails_or_is_undefined(results: Path) -> None:  # noqa: F811
    judged(results, "one", RULES)
    found = facts(results, "one")
    assert verdicts(found) == {
        "mood.accuracy": "pass", "mood.macro_f1": "fail", "mood.loss": "pass", "precision": "undefined",
    }  # fmt: skip
    assert found["verdict"] == "fail"
    loss = next(row for row in found["criteria"] if row["criterion"] == "mood.loss")
    assert (loss["value"], loss["split"]) == (0.5, "validation")  # the first of the best, as training chooses


def test_what_is_no_number_or_has_no_interval_is_undefined_and_no_pass(results: Path) -> None:  # noqa: F811
    judged(results, "one", {"recall": {"at_most": 1.0}, "accuracy": {"at_least": 0.0, "with": "lower_bound"}})
    found = facts(results, "one")
    assert found["verdict"] == "undefined"
    assert [row["why"] for row in found["criteria"]] == ["it is no number", "it has no interval"]


def test_the_verb_is_a_gate(results: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    judged(results, "good", {"accuracy": {"at_least": 0.8}})
    judged(results, "bad", RULES)
    judged(results, "odd", {"recall": {"at_least": 0.1}})
    codes = [call(["scorecard", name, "--results", str(results)]) for name in ("good", "bad", "odd")]
    assert codes == [0, 1, 1]
    out = capsys.readouterr().out
    assert "good: pass" in out and "bad: fail" in out and "≥ 0.8 with lower_bound" in out
    assert call(["scorecard", "bad", "--json", "--results", str(results)]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "fail"


def test_a_grid_is_judged_by_its_best_run_and_a_spec_by_its_own_criteria(results: Path, tiny: Path) -> None:  # noqa: F811
    for name, value in (("tiny-1", 0.7), ("tiny-2", 0.95), ("tiny-3", 0.8)):
        judged(results, name, {}, value, name="tiny", plan_key="p", seed=int(name[-1]))
    with pytest.raises(RunnerError, match="declares no criteria"):
        facts(results, "tiny")
    text = tiny.read_text(encoding="utf-8")
    tiny.write_text(
        text.replace("[execute]", '[evaluate.require]\n"mood.accuracy" = { at_least = 0.9 }\n[execute]'),
        encoding="utf-8",
    )
    found = facts(results, str(tiny))
    assert (found["run"], found["of"], found["verdict"]) == ("tiny-2", 3, "pass")


def test_the_worst_group_is_a_criterion(results: Path) -> None:  # noqa: F811
    gap = {"at_most": 0.1}
    rules = {"worst_group": {"at_least": 0.7}, "worst_group_gap": gap, "macro_f1.worst_group_gap": gap}
    judged(results, "one", rules)
    log = log_of(results, "one")
    for column, value in (("genre", 0.75), ("size", 0.625)):
        row = {"group_name": "g", "metric": "macro_f1", "position": 0, "value": value, "low": 0.5, "high": 1.0}
        log.write("group_scores", split="test", task="mood", by_column=column, rows=[row | {"n": 20, "enough": True}])
    log.close()
    found = facts(results, "one")
    names = ("mood.worst_group", "mood.worst_group_gap", "mood.macro_f1.worst_group_gap")
    assert verdicts(found) == dict.fromkeys(names, "fail")
    assert [row["value"] for row in found["criteria"]] == [0.625, *[pytest.approx(0.275)] * 2]


def test_the_report_has_the_scorecard(results: Path) -> None:  # noqa: F811
    judged(results, "one", RULES)
    run(results, "other", said(GOLD, [1]))
    found = reported(results, ["one", "other"])
    assert [bool(each["scorecard"]) for each in found["runs"]] == [True, False]
    assert "it was not measured" in page(found)


@given(value=st.floats(allow_nan=False, allow_infinity=False), bound=st.floats(allow_nan=False, allow_infinity=False))
def test_a_bound_is_kept_or_not_and_its_opposite_too(value: float, bound: float) -> None:
    found = [Found("t.m", "test", value)]
    least = criterion("m", Require(at_least=bound), found)["verdict"]
    most = criterion("m", Require(at_most=bound), found)["verdict"]
    assert {least, most} == ({"pass"} if value == bound else {"pass", "fail"})
