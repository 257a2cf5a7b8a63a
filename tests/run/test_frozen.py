"""What never learns is computed once: the same curves, scores and weights as without, whatever is frozen."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from runner.errors import Interrupted
from runner.model.activations import narrowed
from runner.model.save import load
from runner.model.stream import widened
from runner.run.experiment import prepare, resume, run
from runner.run.trial import carry_out
from runner.store.query import query
from tests.conftest import TINY, rows, write_csv

WHOLE = '[model.freeze]\nlayers = "all"\n'
LOWEST = "[model.freeze]\nlayers = 1\nembeddings = true\n"
ATTENTION = 'pooling = "attention"\n' + WHOLE
FROZEN = [
    pytest.param(WHOLE, "text", id="probe"),
    pytest.param(ATTENTION, "token", id="attention"),
    pytest.param(LOWEST, "layer", id="lowest"),
]
SQL = "SELECT {what} FROM {table} ORDER BY ALL"


def written(tiny: Path, model: str, share: str = "auto", seeds: str = "seed = 13", more: str = "") -> Path:
    text = TINY.replace("max_length = 16\n", f"max_length = 16\n{model}").replace("seed = 13", seeds)
    tiny.write_text(text.replace("threads = 1", f'threads = 1\nshare = "{share}"') + more, encoding="utf-8")
    return tiny


def done(spec: Path, results: Path) -> list[dict[str, Any]]:
    plan = prepare(spec, results)
    return [run(plan, trial, results, show=False) for trial in plan.trials]


def values(results: Path, table: str) -> tuple[list[tuple[Any, ...]], np.ndarray]:
    """What each value of a table is of, and the values."""
    more = "step, " if table == "metrics" else "model, "
    found = query(results, SQL.format(what=f"run, split, task, metric, {more}value", table=table)).to_pylist()
    return [tuple(row.values())[:-1] for row in found], np.array([row["value"] for row in found], dtype=float)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "level"), FROZEN)
def test_shared_activations_change_nothing(tiny: Path, tmp_path: Path, model: str, level: str) -> None:
    shared, apart = tmp_path / "shared", tmp_path / "apart"
    spec = written(tiny, model, seeds="seeds = [1, 2]")
    assert prepare(spec, shared).kept.level == level
    found = done(spec, shared)
    done(written(tiny, model, "off", "seeds = [1, 2]"), apart)
    for table in ("metrics", "scores"):
        (first, ours), (second, theirs) = values(shared, table), values(apart, table)
        assert first == second
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert len(list((shared / "cache" / "activate").glob("[0-9a-f]*"))) == 3
    assert not (apart / "cache" / "activate").exists()
    sql = "SELECT run, cached FROM stages WHERE name LIKE 'activate%' ORDER BY time"
    assert [row["cached"] for row in query(shared, sql).to_pylist()] == [False] * 6, "as planned: before any was made"
    again = prepare(written(tiny, model, seeds="seed = 3"), shared)
    steps = [step for step in again.trials[0].steps if step.name.startswith("activate")]
    assert len(steps) == 3 and all(step.cached for step in steps)
    answers = query(shared, "SELECT id, predicted, text FROM answers WHERE task = 'mood' AND split = 'test' "
                            f"AND run = '{found[0]['run']}'").to_pylist()  # fmt: skip
    said = load(found[0]["model"])([row["text"] for row in answers])
    assert [max(each["mood"], key=each["mood"].get) for each in said] == [row["predicted"] for row in answers]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "level"), FROZEN)
def test_a_run_goes_on_with_them_where_it_stopped(tiny: Path, tmp_path: Path, model: str, level: str) -> None:
    spec, whole, cut = written(tiny, model), tmp_path / "whole", tmp_path / "cut"
    (first,) = done(spec, whole)
    plan, stop = prepare(spec, cut), threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        carry_out(plan, plan.trials[0], cut, stop, show=False)
    resume(cut, first["run"], show=False)
    assert values(cut, "metrics")[0] == values(whole, "metrics")[0]
    np.testing.assert_array_equal(values(cut, "metrics")[1], values(whole, "metrics")[1])
    np.testing.assert_array_equal(values(cut, "scores")[1], values(whole, "scores")[1])


@pytest.mark.slow
def test_only_what_an_edit_changes_is_computed_again(tiny: Path, tmp_path: Path) -> None:
    spec, results = written(tiny, WHOLE), tmp_path / "results"
    done(spec, results)
    write_csv(tiny.parent / "train.csv", rows(60))
    steps = {step.name: step.cached for step in prepare(spec, results).trials[0].steps}
    assert {name: cached for name, cached in steps.items() if name.startswith("activate")} == {
        "activate films:text train": False,
        "activate films:text validation": True,
        "activate films:text test": True,
    }


@pytest.mark.parametrize(
    ("model", "more", "why"),
    [
        ("", "", ""),
        ("[model.freeze]\nlayers = 1\n", "", ""),
        ('[model.freeze]\nlayers = "all"\nthaw = 2\n', "", ""),
        (WHOLE.replace("layers", "embeddings = true\nlayers"), "epochs", "one epoch of one trial reads them once"),
        (LOWEST, "packing", "layers are left out where they compute packed, not compiled, and once"),
    ],
    ids=["nothing", "upon-learning", "thawing", "once", "padded"],
)
def test_what_is_not_shared_and_why(tiny: Path, tmp_path: Path, model: str, more: str, why: str) -> None:
    spec = written(tiny, model)
    text = spec.read_text(encoding="utf-8")
    text = text.replace("epochs = 3", "epochs = 1") if more == "epochs" else text
    text = text.replace("epochs = 3", "epochs = 3\npacking = false") if more == "packing" else text
    spec.write_text(text, encoding="utf-8")
    plan = prepare(spec, tmp_path / "results")
    assert plan.kept is None and plan.why_kept == why
    off = prepare(written(tiny, WHOLE, "off"), tmp_path / "results")
    assert off.why_kept == '`share = "off"`'
    assert off.trials[0].key == prepare(written(tiny, WHOLE), tmp_path / "results").trials[0].key


def test_bf16_is_kept_as_its_bits() -> None:
    numbers = np.array([[1.0, -2.5, 3.14159, 1e-30, 0.0]], dtype=np.float32)
    kept = narrowed(numbers)
    assert kept.dtype == np.uint16
    np.testing.assert_array_equal(widened(kept), torch.from_numpy(numbers).bfloat16().float().numpy())
    assert widened(numbers) is not numbers
