"""`runner report` over real runs: what the cache knows stands beside what the store knows; the verb writes and prints."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from runner.cache.cache import Cache
from runner.run.account import facts as account
from runner.run.experiment import prepare, run
from runner.run.reporting import facts
from runner.store.query import query
from tests.report.test_page import Read


@pytest.fixture
def ran(tiny: Path, tmp_path: Path) -> Path:
    """Results of a run whose data have groups."""
    text = tiny.read_text(encoding="utf-8")
    text = text.replace('test = "test.csv"', 'test = "test.csv"\ngroups = "size"\nsample = 48').replace(
        "epochs = 3", "epochs = 1"
    )
    tiny.write_text(text, encoding="utf-8")
    plan = prepare(tiny, tmp_path / "results")
    run(plan, plan.trials[0], tmp_path / "results", show=False)
    return tmp_path / "results"


def test_groups_and_profiles_come_from_the_cache(ran: Path, tiny: Path) -> None:
    found = facts(ran, [])
    assert found["data"][0]["profiles"] == {}
    profiles = account(prepare(tiny, ran).checked, Cache(ran / "cache"))["films"]["profile"]
    found = facts(ran, [])
    assert found["data"][0]["profiles"] == {"films": profiles} and profiles["train"]["rows"] == 48
    task = next(task for task in found["runs"][0]["tasks"] if task["task"] == "length")
    sql = "SELECT gold, count(*) AS n, avg((gold = predicted)::INT) AS share FROM answers WHERE task = 'length' AND split = 'test' GROUP BY gold ORDER BY n DESC, gold"  # fmt: skip
    expected = [{"group": row["gold"], "n": row["n"], "right": row["share"], "error": None} for row in query(ran, sql).to_pylist()]  # fmt: skip
    assert task["groups"] == {"column": "size", "rows": expected, "left_out": 0}
    shutil.rmtree(ran / "cache")
    found = facts(ran, [])
    assert found["data"][0]["profiles"] == {} and all(task["groups"] is None for task in found["runs"][0]["tasks"])


def test_the_verb(ran: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from runner.cli import call

    where = ["--results", str(ran)]
    assert call(["report", *where]) == 0
    assert capsys.readouterr() == (f"wrote {ran / 'report.html'}\n", "")
    text = (ran / "report.html").read_text(encoding="utf-8")
    assert Read(text) and "Answers by size" in text and not re.search(r"https?:|//|url\(", text)
    (ran / "report.html").unlink()
    assert call(["report", "tiny", "--json", *where]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [each["run"] for each in told["runs"]] == [row["run"] for row in told["boards"][0]["rows"]]
    assert not (ran / "report.html").exists()
    assert call(["report", "--json", "--html", str(tmp_path / "p.html"), *where]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["title"] == "all runs" and err == f"wrote {tmp_path / 'p.html'}\n"
