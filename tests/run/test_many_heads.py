"""Heads of several kinds on one trunk: trained, recorded, resumed and exported together."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from runner.errors import Interrupted
from runner.model.save import load
from runner.run.comparing import facts
from runner.run.experiment import prepare, resume, run
from runner.run.trial import carry_out
from runner.store.query import query
from tests.conftest import BAD, GOOD, rows

SPEC = """
name = "heads"
seed = 3

[model]
base = "./encoder"
max_length = 12

[data.films]
train = "train.jsonl"
validation = "validation.jsonl"
test = "test.jsonl"

[tasks.mood]
type = "classification"
data = ["films"]

[tasks.topics]
type = "multilabel"
data = ["films"]

[tasks.score]
type = "regression"
data = ["films"]
bounds = [-1, 1]

[tasks.marks]
type = "token_classification"
data = ["films"]
target = "marks"

[tasks.spans]
type = "token_classification"
data = ["films"]
target = "marks"
crf = true

[train]
epochs = 3
batch_size = 8
learning_rate = 5e-3
precision = "fp32"
accumulate = 2
checkpoint_minutes = 1e-9

[evaluate]
resamples = 100

[execute]
threads = 1
"""


def with_targets(row: dict[str, str]) -> dict[str, Any]:
    """A row with targets of all kinds, which follow from its words."""
    words, spans, start = row["text"].split(" "), [], 0
    for word in words:
        if word in GOOD + BAD:
            spans.append({"start": start, "end": start + len(word), "label": "MOOD"})
        start += len(word) + 1
    score = sum((word in GOOD) - (word in BAD) for word in words)
    return {**row, "labels": [w for w in ("film", "book") if w in words], "score": score, "marks": spans}


@pytest.fixture
def heads(tmp_path: Path, encoder: Path) -> Path:
    """A spec with five heads on the same rows."""
    for name, count, start in (("train", 64, 0), ("validation", 16, 64), ("test", 24, 80)):
        lines = [json.dumps(with_targets(row)) for row in rows(count, start)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "encoder").symlink_to(encoder)
    spec = tmp_path / "heads.toml"
    spec.write_text(SPEC, encoding="utf-8")
    return spec


def told(results: Path) -> dict[tuple[str, str], str]:
    """What the store says was predicted on test, by task and text."""
    found = query(results, "SELECT task, text, predicted FROM answers WHERE split = 'test'").to_pylist()
    return {(row["task"], row["text"]): row["predicted"] for row in found}


@pytest.mark.slow
def test_heads_are_trained_recorded_and_exported(heads: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    made = prepare(heads, results)
    done = run(made, made.trials[0], results, show=False)
    shapes = query(results, "SELECT DISTINCT task, shape FROM answers ORDER BY task").to_pylist()
    assert [(row["task"], row["shape"]) for row in shapes] == [
        ("marks", "tags"), ("mood", "choices"), ("score", "quantities"), ("spans", "tags"), ("topics", "sets"),
    ]  # fmt: skip
    scored = {(row["task"], row["metric"], row["model"]) for row in done["scores"] if row["split"] == "test"}
    assert {("marks", "micro_f1", "majority"), ("score", "pearson", "tfidf"), ("topics", "macro_f1", "tfidf")} <= scored
    assert query(results, "SELECT DISTINCT task FROM confusion").to_pylist() == [{"task": "mood"}]

    beside = facts(results, done["run"], done["run"], resamples=10)  # every score can be made of the kept answers again
    assert {row["p"] for row in beside["scores"]} == {1.0}

    recorded = told(results)
    texts = sorted({text for _, text in recorded})
    answer = load(done["model"])
    for text, reply in zip(texts, answer(texts), strict=True):
        assert max(reply["mood"], key=reply["mood"].get) == recorded["mood", text]
        assert reply["topics"]["labels"] == json.loads(recorded["topics", text])
        assert reply["score"] == pytest.approx(float(recorded["score", text]), abs=1e-4)
        for name in ("marks", "spans"):
            tags = json.loads(recorded[name, text])
            assert len(reply[name]) == sum(tag.startswith("B-") for tag in tags)


@pytest.mark.slow
def test_an_interrupted_run_of_many_heads_ends_with_the_same_answers(heads: Path, tmp_path: Path) -> None:
    whole = prepare(heads, tmp_path / "whole")
    run(whole, whole.trials[0], tmp_path / "whole", show=False)
    stop = threading.Event()
    stop.set()
    made = prepare(heads, tmp_path / "parts")
    with pytest.raises(Interrupted):
        carry_out(made, made.trials[0], tmp_path / "parts", stop, show=False)
    resume(tmp_path / "parts", made.trials[0].run, show=False)
    columns = "task, split, id, gold, predicted, confidence"
    sql = f"SELECT {columns} FROM answers ORDER BY ALL"
    assert query(tmp_path / "parts", sql).to_pylist() == query(tmp_path / "whole", sql).to_pylist()
