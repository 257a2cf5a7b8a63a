"""Several data sets on one trunk: rows of all of them in one batch, one head over several sets, and exact resumes."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from runner.errors import Interrupted, RunnerError
from runner.run.experiment import prepare, resume, run
from runner.run.summary import summary
from runner.run.trial import carry_out
from runner.store.query import query
from runner.store.show import show
from tests.conftest import rows
from tests.run.test_many_heads import with_targets

SPEC = """
name = "mixed"
seed = 3

[model]
base = "./encoder"
max_length = 12

[data.films]
train = "films.jsonl"
validation = "validation.jsonl"
test = "test.jsonl"

[data.books]
train = "books.jsonl"
validation = "validation.jsonl"

[tasks.mood]
type = "classification"
data = ["films", "books"]

[tasks.score]
type = "regression"
data = ["films"]

[tasks.marks]
type = "token_classification"
data = ["books"]
target = "marks"

[mixing]
strategy = "weights"
weights = {{ films = 2.0, books = 1.0 }}
batches = "{batches}"

[train]
epochs = 2
batch_size = 8
learning_rate = 5e-3
precision = "fp32"
accumulate = 2
checkpoint_minutes = 1e-9
loss_balance = "{balance}"

[selection.weights]
"mood.macro_f1" = 1.0
"marks.micro_f1" = 0.5
"score.mean_absolute_error" = 0.5

[selection.transforms]
"score.mean_absolute_error" = "inverse"

[evaluate]
resamples = 100

[execute]
threads = 1
"""


def spec(folder: Path, encoder: Path, batches: str, balance: str) -> Path:
    """Two data sets of 48 and 16 rows."""
    for name, count, start in (("films", 48, 0), ("books", 16, 48), ("validation", 16, 64), ("test", 24, 80)):
        lines = [json.dumps(with_targets(row)) for row in rows(count, start)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "encoder").symlink_to(encoder)
    (folder / "mixed.toml").write_text(SPEC.format(batches=batches, balance=balance), encoding="utf-8")
    return folder / "mixed.toml"


@pytest.mark.slow
@pytest.mark.parametrize(("batches", "balance"), [("mixed", "pcgrad"), ("separate", "uncertainty")])
def test_an_interrupted_run_ends_with_the_same_answers(
    tmp_path: Path, encoder: Path, batches: str, balance: str
) -> None:
    file = spec(tmp_path, encoder, batches, balance)
    made = prepare(file, tmp_path / "whole")
    run(made, made.trials[0], tmp_path / "whole", show=False)
    stop = threading.Event()
    stop.set()
    again = prepare(file, tmp_path / "parts")
    with pytest.raises(Interrupted):
        carry_out(again, again.trials[0], tmp_path / "parts", stop, show=False)
    resume(tmp_path / "parts", again.trials[0].run, show=False)
    sql = "SELECT task, split, id, gold, predicted, confidence FROM answers ORDER BY ALL"
    found = query(tmp_path / "whole", sql).to_pylist()
    assert {row["task"] for row in found} == {"mood", "score", "marks"}
    assert query(tmp_path / "parts", sql).to_pylist() == found

    curve = query(tmp_path / "whole", "SELECT task, metric, value FROM metrics WHERE split = 'validation'").to_pylist()
    last = {(row["task"], row["metric"]): row["value"] for row in curve}
    mean = last["mood", "macro_f1"] + 0.5 * last["marks", "micro_f1"] + 0.5 / (1 + last["score", "mean_absolute_error"])
    assert last["", "combined"] == pytest.approx(mean / 2)
    told = {
        row["metric"]
        for row in query(tmp_path / "whole", "SELECT metric FROM metrics WHERE split = 'train'").to_pylist()
    }
    assert ("conflicts" if balance == "pcgrad" else "weight") in told


@pytest.mark.slow
def test_the_task_whose_loss_is_no_number_is_told_and_recorded(
    tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three heads in mixed batches the tags' loss breaks."""
    from runner.parts.tasks.token_classification import TokenClassification

    right = TokenClassification.loss
    monkeypatch.setattr(TokenClassification, "loss", lambda self, *given, **more: right(self, *given, **more) / 0)
    made = prepare(spec(tmp_path, encoder, "mixed", "fixed"), tmp_path / "results")
    with pytest.raises(RunnerError, match=r"^the loss or gradient of `marks` is not a number at step 1$") as error:
        run(made, made.trials[0], tmp_path / "results", show=False)
    assert "learning_rate" in error.value.hint
    (failure,) = query(tmp_path / "results", "SELECT message, step FROM failures").to_pylist()
    assert failure == {"message": error.value.message, "step": 0}


@pytest.mark.slow
def test_a_joint_run_stands_beside_the_runs_of_its_tasks_alone(tiny: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    joint = prepare(tiny, results)
    done = run(joint, joint.trials[0], results, show=False)
    assert show(results, done["run"])["gaps"] == []
    text = tiny.read_text(encoding="utf-8")
    start, end = text.index("[tasks.length]"), text.index("[train]")
    single = tiny.with_name("single.toml")
    single.write_text(text[:start] + text[end:].replace('"tiny"', '"single"'), encoding="utf-8")
    made = prepare(single, results)
    alone = run(made, made.trials[0], results, show=False)
    found = show(results, done["run"])["gaps"]
    scores = {
        (row["task"], row["metric"]): row["value"]
        for row in alone["scores"]
        if (row["split"], row["model"]) == ("test", "best")
    }
    assert [(row["task"], row["metric"], row["alone"], row["alone_run"]) for row in found] == [
        ("mood", metric, scores["mood", metric], alone["run"]) for metric in ("macro_f1", "accuracy")
    ]
    assert alone["run"] in summary(done, results)
    assert "of each task alone" not in summary(alone, results)
