"""A run over questions whose contexts make several sequences, and the saved model that answers the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.model.save import load
from runner.run.comparing import facts
from runner.run.experiment import prepare, run
from runner.store.query import query
from tests.conftest import BAD, GOOD, rows

SPEC = """
name = "questions"
[model]
base = "./encoder"
max_length = 9
[data.reading]
train = "train.jsonl"
validation = "validation.jsonl"
test = "test.jsonl"
[tasks.answer]
type = "question_answering"
data = ["reading"]
stride = 2
[train]
epochs = 2
batch_size = 8
learning_rate = 5e-3
precision = "fp32"
[evaluate]
resamples = 100
[execute]
threads = 1
"""


@pytest.mark.slow
def test_contexts_longer_than_the_model_reads_are_answered_once(tmp_path: Path, encoder: Path) -> None:
    for name, count, start in (("train", 48, 0), ("validation", 8, 48), ("test", 12, 60)):
        lines = []
        for row in rows(count, start):
            word = next(word for word in row["text"].split(" ") if word in GOOD + BAD)
            answer = {"text": word, "answer_start": row["text"].index(word)}
            lines.append(json.dumps({"question": "it is", "context": row["text"], "answers": [answer]}))
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "encoder").symlink_to(encoder)
    spec = tmp_path / "questions.toml"
    spec.write_text(SPEC, encoding="utf-8")

    made = prepare(spec, tmp_path / "results")
    done = run(made, made.trials[0], tmp_path / "results", show=False)
    found = query(tmp_path / "results", "SELECT text, predicted, shape FROM answers WHERE split = 'test'").to_pylist()
    assert len(found) == 12 and {row["shape"] for row in found} == {"texts"}
    assert {score["n"] for score in done["scores"] if score["split"] == "test"} == {12}
    beside = facts(
        tmp_path / "results", done["run"], done["run"], resamples=10
    )  # every score can be made of the kept answers again
    assert {row["p"] for row in beside["scores"]} == {1.0}
    pairs = [tuple(row["text"].split(" | ")) for row in found]
    assert max(len(context.split(" ")) for _, context in pairs) > 9
    replies = load(done["model"])(pairs)
    assert [reply["answer"]["text"] for reply in replies] == [row["predicted"] for row in found]
