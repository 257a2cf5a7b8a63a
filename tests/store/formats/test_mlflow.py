"""What MLflow is told, read by MLflow's own client from a database of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.errors import RunnerError
from runner.store.export import export
from runner.store.formats import mlflow as module
from runner.store.ingest import ingest
from tests.store.conftest import NEW_YEAR, log_of, start
from tests.store.runs import run

mlflow = pytest.importorskip("mlflow", reason="needs the extra `mlflow`")
pytest.importorskip("sqlalchemy", reason="MLflow needs it for a database of its own")


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of MLflow's; to make one takes a second."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def client(uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MLflow's client; `monkeypatch` takes back what the export sets in the environment."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with module.quiet():
        yield mlflow.MlflowClient(uri)


def there(client: Any, experiment: str) -> dict[str, Any]:
    """MLflow's runs of an experiment, by the names of ours."""
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return {each.data.tags["runner.run"]: each for each in found}


def history(client: Any, run: Any, key: str) -> list[tuple[int, str]]:
    return [(each.step, repr(each.value)) for each in client.get_metric_history(run.info.run_id, key)]


def test_mlflow_shows_parameters_curves_scores_and_tags(tmp_path: Path, uri: str, client: Any) -> None:
    log = log_of(tmp_path)
    params = {"train.rate": 0.5, "nothing": None, "text": "x" * 7000, "a{b}": "ü"} | {f"p{n}": n for n in range(150)}
    start(
        log, name="größe", description="a try", seed=7, trial_key="t", params=params, environment={"git_commit": "c1"}
    )
    for step, value in enumerate([1.5, float("nan"), float("inf"), float("-inf"), None]):
        log.write("metrics", step=step, values={"loss": value}, split="train")
    log.write("scores", split="test", model="best", rows=[{"task": "mood", "metric": "f1", "value": 0.25}])
    log.write("grid", grid="größe", grid_key="k", position=0, point={})
    log.write("run_finished", state="failed", seconds=1.0)
    assert export(tmp_path, uri, "mlflow", [], [])["points"] == 5
    found = there(client, "größe")["demo"]
    largest = repr(1.7976931348623157e308)
    assert history(client, found, "loss/train") == [(0, "1.5"), (1, "nan"), (2, largest), (3, f"-{largest}")]
    assert found.data.metrics["final/test/mood.f1"] == 0.25 and math.isfinite(found.data.metrics["loss/train"])
    assert len(found.data.params) == 154 and len(found.data.params["text"]) == 6000
    assert (found.data.params["train.rate"], found.data.params["nothing"], found.data.params["a_b_"]) == (
        "0.5",
        "null",
        "ü",
    )
    tags = {"runner.seed": "7", "runner.trial_key": "t", "runner.grids": "größe", "mlflow.runName": "demo"}
    tags |= {"mlflow.note.content": "a try", "mlflow.source.git.commit": "c1"}
    assert tags.items() <= found.data.tags.items()
    assert (found.info.status, found.info.start_time) == ("FAILED", NEW_YEAR * 1000)


def test_again_adds_nothing_twice_also_after_a_kill(
    tmp_path: Path, uri: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_of(tmp_path)
    start(log, name="again", params={"a": 1})
    log.write("metrics", step=1, values={"loss": float("inf"), "b": 2})
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        export(tmp_path, uri, "mlflow", [], [])
    assert [export(tmp_path, uri, "mlflow", [], [])["points"] for _ in range(2)] == [0, 0]
    assert there(client, "again")["demo"].info.status == "RUNNING"
    log.write("metrics", step=2, values={"loss": 1})
    log.write("run_finished", state="interrupted", seconds=1.0)
    assert [export(tmp_path, uri, "mlflow", [], ["demo"])["points"] for _ in range(2)] == [1, 0]
    (found,) = there(client, "again").values()
    assert [step for step, _ in history(client, found, "loss")] == [1, 2]
    assert found.info.status == "KILLED"


def test_runs_with_answers_and_of_grids_go_to_their_experiments(tmp_path: Path, uri: str, client: Any) -> None:
    run(tmp_path, "one", experiment="films", grid={"train.epochs": 3})
    run(tmp_path, "two", experiment="books")
    log_of(tmp_path, "planned", 0).write("grid", grid="films", grid_key="g1", position=1, point={})
    ingest(tmp_path)
    assert export(tmp_path, uri, "mlflow", ["films"], [])["runs"] == 2
    assert {name: each.info.status for name, each in there(client, "films").items()} == {
        "one": "FINISHED",
        "planned": "SCHEDULED",
    }
    assert client.get_experiment_by_name("books") is None


def test_a_place_that_mlflow_does_not_take_is_told_without_the_password(results: Path) -> None:
    with pytest.raises(RunnerError, match="MLflow at `nosuch://host/x`"):
        export(results, "nosuch://me:secret@host/x", "mlflow", [], [])
