"""`runner diff SPEC RUN`: fields, contents and circumstances that differ, and what `runner run` would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.plan.trials import Entry
from runner.run.diffing import facts, text
from runner.run.experiment import prepared
from runner.run.opening import opening
from runner.run.work import DONE, Work, folder_of
from runner.store.log import Log
from tests.conftest import rows, write_csv


def recorded(entry: Entry, results: Path) -> str:
    """What a run of this trial records before it trains, and that it was done."""
    from runner.cache.cache import Cache

    folder = folder_of(results, entry.trial.run)
    folder.mkdir(parents=True)
    log = Log(folder, entry.trial.run, 1)
    opening(Work(entry.plan, entry.trial, folder, log, Cache(results / "cache")))
    log.write("run_finished", state="finished", seconds=1.0)
    log.close()
    (folder / DONE).write_text(json.dumps({"key": entry.trial.key}), encoding="utf-8")
    return entry.trial.run


@pytest.fixture
def results(tiny: Path) -> Path:
    """A store with a finished run of the tiny spec."""
    (entry,) = prepared(tiny, tiny.parent / "results").entries
    recorded(entry, tiny.parent / "results")
    return tiny.parent / "results"


def edit(spec: Path, old: str, new: str) -> None:
    text = spec.read_text(encoding="utf-8")
    assert old in text
    spec.write_text(text.replace(old, new), encoding="utf-8")


def named(found: list[dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    return {row["name"]: (row["was"], row["now"]) for row in found}


def test_nothing_differs(tiny: Path, results: Path) -> None:
    found = facts(results, tiny, "tiny")
    assert [found[kind] for kind in ("spec", "data", "model", "environment")] == [[], [], [], []]
    assert found["trains"] is False and found["why"] == f"it is the trial of `{found['run']}`, which is done"
    assert "spec: nothing differs" in text(found) and "runner run trains nothing: it is the trial" in text(found)


def test_a_field_that_decides_means_training(tiny: Path, results: Path) -> None:
    edit(tiny, "epochs = 3", "epochs = 4")
    found = facts(results, tiny, "tiny")
    assert found["spec"] == [{"name": "train.epochs", "was": "3", "now": "4", "decides": True}]
    assert (found["trains"], found["why"]) == (True, "another trial: train.epochs")
    assert "  train.epochs  3    4" in text(found)


def test_a_field_that_decides_nothing_does_not(tiny: Path, results: Path) -> None:
    edit(tiny, 'name = "tiny"', 'name = "other"')
    edit(tiny, "threads = 1", "threads = 2")
    found = facts(results, tiny, "tiny")
    assert named(found["spec"]) == {"name": ("tiny", "other"), "execute.threads": ("1", "2")}
    assert not any(row["decides"] for row in found["spec"]) and found["trains"] is False


def test_data_and_model_are_told_by_their_hashes(tiny: Path, results: Path, encoder: Path, tmp_path: Path) -> None:
    import shutil

    write_csv(tiny.parent / "train.csv", rows(60))
    (tiny.parent / "encoder").unlink()
    shutil.copytree(encoder, tiny.parent / "encoder")
    edit(tiny.parent / "encoder/config.json", "0.02", "0.03")
    found = facts(results, tiny, "tiny")
    assert [row["name"] for row in found["data"]] == ["films train"]
    assert [row["name"] for row in found["model"]] == ["config.json"]
    assert all(len(value) == 64 for row in (*found["data"], *found["model"]) for value in (row["was"], row["now"]))
    assert found["why"] == "another trial: data films train, model config.json"


def test_packages_and_machine(tiny: Path, results: Path) -> None:
    (log,) = (results / "runs").glob("*/log.jsonl")
    lines = log.read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    first["environment"]["packages"]["torch"] = "2.12.0"
    first["environment"]["cores"] = 999
    log.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n", encoding="utf-8")
    found = facts(results, tiny, "tiny")
    differ = named(found["environment"])
    assert differ.keys() == {"torch", "cores"} and differ["torch"][0] == "2.12.0" and differ["cores"][0] == "999"
    assert found["trains"] is False


def test_of_a_grid_the_nearest_point_is_meant(tiny: Path, results: Path) -> None:
    with tiny.open("a", encoding="utf-8") as file:
        file.write('\n[grid]\n"train.batch_size" = [4, 8]\n')
    found = facts(results, tiny, "tiny")
    assert found["point"] == {"train.batch_size": 8} and found["spec"] == [] and found["trains"] is False
    edit(tiny, "epochs = 3", "epochs = 4")
    found = facts(results, tiny, "tiny")
    assert found["point"] == {"train.batch_size": 8} and named(found["spec"]) == {"train.epochs": ("3", "4")}
    assert "at train.batch_size=8" in text(found)


def test_what_another_run_has_done_is_not_done_again(tiny: Path, results: Path) -> None:
    edit(tiny, "seed = 13", "seed = 14")
    (entry,) = prepared(tiny, results).entries
    other = recorded(entry, results)
    found = facts(results, tiny, "tiny-s13")
    assert named(found["spec"]) == {"seed": ("13", "14")}
    assert (found["trains"], found["why"]) == (False, f"another trial: seed; `{other}` has done it")


def test_a_run_that_did_not_finish_is_trained(tiny: Path, results: Path) -> None:
    (done,) = (results / "runs").glob(f"*/{DONE}")
    done.unlink()
    found = facts(results, tiny, "tiny")
    assert found["trains"] is True and "it is the trial of" in found["why"]


def test_fields_given_from_outside_count(tiny: Path, results: Path) -> None:
    found = facts(results, tiny, "tiny", [("train.batch_size", 16)])
    assert named(found["spec"]) == {"train.batch_size": ("8", "16")}
