"""`runner reproduce`: equal numbers from a record alone, what drifted is named first, what differs is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from runner.errors import RunnerError
from runner.run.experiment import prepare, prepared, run
from runner.run.reproducing import FOLDER, reproduce, text
from runner.store.query import query
from tests.conftest import events
from tests.store import runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, encoder: Path) -> Path:
    """A folder with a spec of one epoch and its finished run; each test works on a copy."""
    from tests.conftest import TINY, rows, write_csv

    folder = tmp_path_factory.mktemp("finished")
    for name, count, start in (("train", 32, 0), ("validation", 16, 64), ("test", 24, 80)):
        write_csv(folder / f"{name}.csv", rows(count, start))
    shutil.copytree(encoder, folder / "encoder")
    text = TINY.replace("epochs = 3", "epochs = 1")
    (folder / "tiny.toml").write_text(text, encoding="utf-8")
    plan = prepare(folder / "tiny.toml", folder / "results")
    run(plan, plan.trials[0], folder / "results", show=False)
    return folder


@pytest.fixture
def place(finished: Path, tmp_path: Path) -> Path:
    """The same, the test's own."""
    shutil.copytree(finished, tmp_path / "own")
    (name,) = (tmp_path / "own/results/runs").iterdir()
    origin = json.loads((name / "origin.json").read_bytes())
    origin["spec"] = str(tmp_path / "own/tiny.toml")
    (name / "origin.json").write_text(json.dumps(origin), encoding="utf-8")
    return tmp_path / "own"


def name_of(place: Path) -> str:
    (folder,) = (place / "results/runs").iterdir()
    return folder.name


def test_every_number_comes_out_equal_and_sql_finds_it(place: Path) -> None:
    results, name = place / "results", name_of(place)
    (place / "tiny.toml").unlink()  # the record is all it takes, with the files that it names
    found = reproduce(results, "tiny", show=False)
    assert found["equal"] and found["run"] == name and found["environment"] == [] and found["place"] is None
    kinds = {kind: (each["rows"], each["equal"]) for kind, each in found["kinds"].items()}
    assert kinds["answers"] == (80, 80)  # of two tasks: 16 on validation, 24 on test
    assert kinds["samples"] == (0, 0) and kinds["points"][0] > 5 and kinds["scores"][0] > 10
    assert "every number is equal, bit by bit" in text(found)
    assert list((results / FOLDER).iterdir()) == []
    asked = "SELECT run, equal, answers, equal_answers, otherwise FROM reproductions"
    row = {"run": name, "equal": True, "answers": 80, "equal_answers": 80, "otherwise": []}
    assert query(results, asked).to_pylist() == [row]


def test_a_record_of_it_is_no_end_of_the_run(place: Path) -> None:
    results, name = place / "results", name_of(place)
    reproduce(results, name, show=False)
    before = events(results, name)
    plan = prepare(place / "tiny.toml", results)
    assert run(plan, plan.trials[0], results, show=False)["again"] is True
    assert events(results, name) == before and before[-1]["event"] == "reproduced"
    assert query(results, "SELECT attempts, state FROM runs").to_pylist() == [{"attempts": 1, "state": "finished"}]


def test_what_differs_is_told_and_kept(place: Path) -> None:
    results, name = place / "results", name_of(place)
    log = results / "runs" / name / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    changed = [spoiled(line) for line in lines]
    log.write_text("".join(changed), encoding="utf-8")
    found = reproduce(results, name, show=False)
    (one,) = found["kinds"]["answers"]["differences"]
    assert (one["name"], one["column"], one["was"]) == ("test mood 3", "predicted", "perhaps")
    assert not found["equal"] and found["kinds"]["answers"]["equal"] == 79
    assert {each["name"] for each in found["environment"]} == {"torch"}
    told = text(found)
    assert "test mood 3 predicted: was perhaps, is" in told and "torch: was 2.12.0, is" in told
    assert found["place"] and Path(found["place"]).is_dir() and found["place"] in told
    assert query(results, "SELECT equal, otherwise FROM reproductions").to_pylist() == [
        {"equal": False, "otherwise": ["torch"]}
    ]


def spoiled(line: str) -> str:
    """A record as another torch and another model would have written it."""
    record: dict[str, Any] = json.loads(line)
    if record["event"] == "run_started":
        record["environment"]["packages"]["torch"] = "2.12.0"
    if record["event"] == "answers" and (record["split"], record["task"]) == ("test", "mood"):
        record["predicted"][3] = "perhaps"
    return json.dumps(record) + "\n"


def test_data_that_changed_is_named_before_anything_is_trained(place: Path) -> None:
    with (place / "train.csv").open("a", encoding="utf-8") as file:
        file.write("a dull day,bad,short\n")
    with pytest.raises(RunnerError) as caught:
        reproduce(place / "results", "tiny", show=False)
    assert "cannot be reproduced\n  data films train: was " in caught.value.message
    assert "films test" not in caught.value.message and "model" not in caught.value.message
    assert list((place / "results" / FOLDER).iterdir()) == []


def test_weights_that_changed_are_named(place: Path) -> None:
    config = place / "encoder/config.json"
    config.write_text(config.read_text(encoding="utf-8").replace("0.02", "0.03"), encoding="utf-8")
    with pytest.raises(RunnerError) as caught:
        reproduce(place / "results", "tiny", show=False)
    assert "\n  model config.json: was " in caught.value.message and "data" not in caught.value.message


def test_a_point_of_a_grid_with_a_parent_elsewhere(place: Path) -> None:
    (place / "specs").mkdir()
    spec = place / "specs/grid.toml"
    spec.write_text('extends = "../tiny.toml"\nname = "grid"\n[grid]\n"train.batch_size" = [4, 16]\n', encoding="utf-8")
    entry = prepared(spec, place / "results").entries[1]
    run(entry.plan, entry.trial, place / "results", show=False)
    spec.unlink()
    found = reproduce(place / "results", "grid", show=False)
    assert found["equal"] and found["run"] == entry.trial.run


def test_a_run_that_begins_with_another_run(place: Path) -> None:
    spec = place / "next.toml"
    text = (place / "tiny.toml").read_text(encoding="utf-8").replace('"tiny"', '"next"')
    spec.write_text(text.replace('"./encoder"', '"run:tiny"'), encoding="utf-8")
    plan = prepare(spec, place / "results")
    run(plan, plan.trials[0], place / "results", show=False)
    assert reproduce(place / "results", "next", show=False)["equal"]


def test_a_run_that_did_not_finish_has_nothing_to_compare(tmp_path: Path) -> None:
    runs.run(tmp_path, "stopped", state="interrupted")
    with pytest.raises(RunnerError, match="`stopped` is interrupted") as caught:
        reproduce(tmp_path, "stopped")
    assert caught.value.hint == "finish it: `runner resume stopped`"
