"""`runner errors` over a real run, and over logs whose mistakes are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli import call
from runner.report.results import page
from runner.run.experiment import prepare
from runner.run.experiment import run as carried
from runner.run.mistakes import facts
from runner.run.reporting import facts as reported
from tests.store.conftest import log_of, new, results, start  # noqa: F401
from tests.store.runs import GOLD, run, said


def test_mistakes_are_told_task_by_task(results: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    run(results, "one", said(GOLD, [0, 1, 5]))
    (task,) = facts(results, "one")["tasks"]
    assert (task["n"], task["wrong"], task["split"]) == (40, 3, "test")
    assert [(each["gold"], each["predicted"], each["count"]) for each in task["confusions"]] == [
        ("a", "b", 2),
        ("b", "c", 1),
    ]
    assert {each["id"] for each in task["losses"]} == {"i0", "i1", "i5"} and task["losses"][0]["nearest"] == []
    assert len(task["classes"]) == 3 and task["grams"] == []
    assert call(["errors", "one", "--results", str(results)]) == 0
    assert "mood, test: 3 of 40 answers are wrong" in capsys.readouterr().out
    assert call(["errors", "one", "--json", "--most", "1", "--results", str(results)]) == 0
    assert len(json.loads(capsys.readouterr().out)["tasks"][0]["losses"]) == 1


def test_a_run_that_chooses_no_label_has_nothing_to_confuse(results: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    log = log_of(results, "texts")
    start(log)
    log.write("run_finished", state="finished", seconds=1.0)
    log.close()
    assert call(["errors", "texts", "--results", str(results)]) == 0
    assert "nothing to confuse" in capsys.readouterr().out


@pytest.mark.slow
def test_mistakes_of_a_real_run_stand_beside_training_rows(tiny: Path, tmp_path: Path) -> None:
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("epochs = 3", "epochs = 1"), encoding="utf-8")
    plan = prepare(tiny, tmp_path / "results")
    name = carried(plan, plan.trials[0], tmp_path / "results", show=False)["run"]
    found = {task["task"]: task for task in facts(tmp_path / "results", name)["tasks"]}
    losses = [row for task in found.values() for row in task["losses"]]
    assert losses and any(row["nearest"] for row in losses)
    train = (tmp_path / "train.csv").read_text(encoding="utf-8")
    assert all(one["text"] in train for row in losses for one in row["nearest"])
    assert "what train has nearest" in page(reported(tmp_path / "results", [name]))
