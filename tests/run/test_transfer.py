"""Whole runs that treat the parts of the trunk unequally, and end with the same bits when they are cut short."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from runner.errors import Interrupted
from runner.model.save import load
from runner.plan.estimate import parameters
from runner.run.experiment import prepare, resume, run
from runner.run.trial import carry_out
from runner.store.query import query
from tests.conftest import TINY, WORDS, events, rows

ALL = """
pooling = "attention"
reinitialise = 1
[model.freeze]
embeddings = true
layers = 1
thaw = 2
thaw_by = "layer"
"""
RATES = """
head_learning_rate = 1e-2
layer_decay = 0.75
average = { ema = 0.9 }
"""
IA3 = """
[model.adapter]
type = "ia3"
"""


def written(spec: Path, model: str, train: str) -> Path:
    """The tiny spec with settings of `[model]` and `[train]`; a state is saved after each step."""
    text = TINY.replace("max_length = 16\n", f"max_length = 16\n{model}")
    text = text.replace("epochs = 3\n", f"epochs = 3\ncheckpoint_minutes = 1e-9\n{train}")
    spec.write_text(text, encoding="utf-8")
    return spec


def details(results: Path, name: str) -> list[dict[str, Any]]:
    """What the stages of a run tell of themselves."""
    return [each["detail"] for each in events(results, name) if isinstance(each.get("detail"), dict)]


def unseen() -> int:
    """Words whose embeddings stay as they are, since no training text has them."""
    seen = {word for row in rows(64) for word in row["text"].split()}
    return len(WORDS) - len({"[PAD]", "[UNK]", "[CLS]", "[SEP]"} | (seen & set(WORDS)))


def weights(results: Path, name: str) -> dict[str, bytes]:
    folder = results / "runs" / name / "model"
    return {file.name: file.read_bytes() for file in folder.glob("*.safetensors")}


@pytest.mark.slow
@pytest.mark.parametrize("model", [ALL, IA3], ids=["all", "ia3"])
def test_a_run_trains_what_the_plan_counts_and_goes_on_where_it_stopped(tiny, tmp_path, model):
    spec = written(tiny, model, RATES)
    whole, results = prepare(spec, tmp_path / "whole"), tmp_path / "cut"
    name = whole.trials[0].run
    run(whole, whole.trials[0], tmp_path / "whole", show=False)
    (trained,) = [each["parameters"] for each in details(tmp_path / "whole", name) if "parameters" in each]
    assert trained == parameters(whole.checked).trainable - 16 * (unseen() if model == ALL else 0)

    cut = prepare(spec, results)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        carry_out(cut, cut.trials[0], results, stop, show=False)
    resume(results, name, show=False)
    assert weights(results, name) == weights(tmp_path / "whole", name)
    curves = [
        query(each, "SELECT step, metric, value FROM metrics ORDER BY ALL").to_pylist()
        for each in (results, tmp_path / "whole")
    ]
    assert curves[0] == curves[1]
    (answer,) = load(results / "runs" / name / "model")(["we saw a good film"])
    assert set(answer) == {"mood", "length"}
