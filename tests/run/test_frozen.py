"""What never learns is computed once: the same curves, scores and weights as without, whatever is frozen."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from runner.errors import Interrupted, RunnerError
from runner.model.activations import narrowed
from runner.model.save import load
from runner.model.stream import widened
from runner.plan import kept
from runner.run.caching import facts
from runner.run.experiment import prepare, prepared, resume, run
from runner.run.order import Order
from runner.run.search import Search
from runner.run.trial import carry_out
from runner.run.worker import same
from runner.store.query import query
from tests.conftest import TINY, WORDS, rows, write_csv
from tests.run.test_mixed import spec as mixed

WHOLE = '[model.freeze]\nlayers = "all"\n'
LOWEST = "[model.freeze]\nlayers = 1\nembeddings = true\n"
ATTENTION = 'pooling = "attention"\n' + WHOLE
FROZEN = [
    pytest.param(WHOLE, "text", id="probe"),
    pytest.param(ATTENTION, "token", id="attention"),
    pytest.param(LOWEST, "layer", id="lowest"),
]
SEARCH = """
[search]
trials = 6
[search.space]
"train.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
"""
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
    assert prepare(spec, shared).kept.frozen.level == level
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
    ("model", "train", "why"),
    [
        ("", "", ""),
        ("[model.freeze]\nlayers = 1\n", "", "the embeddings below learn"),
        ("[model.freeze]\nembeddings = true\n", "", "embeddings alone take no time to compute"),
        (WHOLE + "thaw = 2\n", "", "what is frozen learns from epoch 2 on"),
        (WHOLE, "epochs = 1", "one epoch of one trial reads them once"),
        (LOWEST, "packing = false", "layers are left out where they compute packed, not compiled, and once"),
        (
            LOWEST,
            "gradient_checkpointing = true",
            "layers are left out where they compute packed, not compiled, and once",
        ),
    ],
    ids=["nothing", "upon-learning", "embeddings", "thawing", "once", "padded", "recomputed"],
)
def test_what_is_not_shared_and_why(tiny: Path, tmp_path: Path, model: str, train: str, why: str) -> None:
    spec = written(tiny, model)
    text = spec.read_text(encoding="utf-8")
    epochs = "epochs = 1" if train == "epochs = 1" else f"epochs = 3\n{train}"
    spec.write_text(text.replace("epochs = 3", epochs), encoding="utf-8")
    plan = prepare(spec, tmp_path / "results")
    assert plan.kept.frozen is None and plan.kept.why == why
    assert not any(step.name.startswith("activate") for step in plan.trials[0].steps)


def test_share_is_no_part_of_a_trial(tiny: Path, tmp_path: Path) -> None:
    off = prepare(written(tiny, WHOLE, "off"), tmp_path / "results")
    assert off.kept.why == '`share = "off"`'
    assert off.trials[0].key == prepare(written(tiny, WHOLE), tmp_path / "results").trials[0].key


def test_what_fills_the_disk_is_not_kept(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert "more than a fifth of the free disk" in prepare(written(tiny, WHOLE), tmp_path / "results").kept.why


def test_a_full_disk_is_an_error_before_it_is_written_to(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(RunnerError, match="no space left for the cache"):
        done(written(tiny, WHOLE), tmp_path / "results")
    assert not list((tmp_path / "results" / "cache" / "activate").glob("*/vectors.npy"))


def once(tiny: Path, grid: str) -> Path:
    """A grid of trials of one epoch."""
    spec = written(tiny, WHOLE, more=f"\n[grid]\n{grid}\n")
    spec.write_text(spec.read_text(encoding="utf-8").replace("epochs = 3", "epochs = 1"), encoding="utf-8")
    return spec


def test_workers_do_what_their_grid_plans(tiny: Path, tmp_path: Path) -> None:
    spec, results = once(tiny, '"train.learning_rate" = [1e-3, 2e-3]'), tmp_path / "results"
    for entry in prepared(spec, results).entries:
        steps = [step.name for step in entry.trial.steps]
        assert "activate films:text train" in steps and entry.plan.kept.why.startswith("read 2 times")
        kept = entry.plan.kept.frozen is not None
        order = Order(spec, results, (), entry.point, entry.trial.run, entry.trial.key, 1, None, kept)
        assert [step.name for step in same(order)[1].steps] == steps


def test_trials_that_read_other_things_do_not_count(tiny: Path, tmp_path: Path) -> None:
    spec = once(tiny, '"model.max_length" = [8, 16]')
    whys = [plan.kept.why for plan in prepared(spec, tmp_path / "results").plans]
    assert whys == ["one epoch of one trial reads them once"] * 2


def test_what_is_in_the_cache_is_read_even_once(tiny: Path, tmp_path: Path) -> None:
    spec, results = written(tiny, WHOLE), tmp_path / "results"
    done(spec, results)
    spec.write_text(spec.read_text(encoding="utf-8").replace("epochs = 3", "epochs = 1"), encoding="utf-8")
    plan = prepare(spec, results)
    assert plan.kept.why.startswith("read once, in the cache already")
    assert {step.cached for step in plan.trials[0].steps if step.name.startswith("activate")} == {True}


def test_a_search_counts_its_trials(tiny: Path, tmp_path: Path) -> None:
    spec = written(tiny, WHOLE, more=SEARCH)
    spec.write_text(spec.read_text(encoding="utf-8").replace("epochs = 3", "epochs = 1"), encoding="utf-8")
    trials = prepared(spec, tmp_path / "results")
    assert trials.plans[0].kept.why.startswith("read 6 times")
    entry = Search(trials, tmp_path / "results", ()).entry({"train.learning_rate": 2e-3})
    assert entry.plan.kept.frozen is not None


@pytest.mark.slow
@pytest.mark.parametrize("began", [True, False], ids=["with", "without"])
def test_a_run_goes_on_as_it_began(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, began: bool) -> None:
    """Whatever the disk says by now: the other way would be other roundings."""
    spec, whole, cut = written(tiny, LOWEST), tmp_path / "whole", tmp_path / "cut"
    room = SimpleNamespace(free=2**40 if began else 1000)
    monkeypatch.setattr(kept.shutil, "disk_usage", lambda _: room)
    (first,) = done(spec, whole)
    plan, stop = prepare(spec, cut), threading.Event()
    assert (plan.kept.frozen is not None) is began
    stop.set()
    with pytest.raises(Interrupted):
        carry_out(plan, plan.trials[0], cut, stop, show=False)
    room.free = 1000 if began else 2**40
    resume(cut, first["run"], show=False)
    assert bool(list((cut / "cache").glob("activate/[0-9a-f]*"))) is began
    for table in ("metrics", "scores"):
        np.testing.assert_array_equal(values(cut, table)[1], values(whole, table)[1])


@pytest.mark.parametrize("change", ["[evaluate]\nbatch_size = 5", "packing = false"])
def test_all_that_rounds_is_in_the_key(tiny: Path, tmp_path: Path, change: str) -> None:
    def keys() -> list[str]:
        return [step.key for step in prepare(tiny, tmp_path / "r").trials[0].steps if step.name.startswith("activate")]

    text = written(tiny, WHOLE).read_text(encoding="utf-8")
    before = keys()
    place = "[evaluate]" if "evaluate" in change else "epochs = 3"
    tiny.write_text(text.replace(place, change if place in change else f"{place}\n{change}"), encoding="utf-8")
    assert before and not set(before) & set(keys())


@pytest.mark.slow
def test_the_cache_knows_what_they_are_of(tiny: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    plan = prepare(written(tiny, LOWEST), results)
    (run_,) = done(tiny, results)
    foreseen = {step.name: step.detail["bytes"] for step in plan.trials[0].steps if step.name.startswith("activate")}
    sql = f"SELECT name, detail FROM stages WHERE run = '{run_['run']}' AND name LIKE 'activate%'"
    for row in query(results, sql).to_pylist():
        size = json.loads(row["detail"])["bytes"]
        assert 0.8 * size < foreseen[row["name"]] <= size  # a file has a head of 128 bytes
    entries = facts(results / "cache")["entries"]
    own, tokens = ([each for each in entries if each["stage"] == stage] for stage in ("activate", "encode"))
    assert sorted(each["splits"] for each in own) == [["test"], ["train"], ["validation"]]
    assert own[0]["files"] == tokens[0]["files"] == ["test.csv", "train.csv", "validation.csv"]
    assert all(each["from"].endswith(", a vector a token after layer 1") for each in own)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "level"), [(WHOLE, "token"), (LOWEST, "layer")], ids=["probe", "lowest"])
@pytest.mark.parametrize("batches", ["mixed", "separate"])
def test_texts_and_tokens_of_several_sets(tmp_path: Path, encoder: Path, batches: str, model: str, level: str) -> None:
    spec = mixed(tmp_path, encoder, batches, "fixed")
    text = spec.read_text(encoding="utf-8").replace("max_length = 12\n", f"max_length = 12\n{model}")
    alike(spec, text, tmp_path, level)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_texts_that_stay_together(tiny: Path, tmp_path: Path, pooling: str) -> None:
    """Two sequences an example, each with a vector of its own."""
    head = TINY[TINY.index("[tasks.mood]") : TINY.index("[train]")]
    task = '[tasks.near]\ntype = "similarity"\ndata = ["films"]\ninput = ["text", "size"]\ntarget = "score"\n\n'
    for name in ("train", "validation", "test"):
        table = list(csv.DictReader((tiny.parent / f"{name}.csv").open(encoding="utf-8")))
        write_csv(tiny.parent / f"{name}.csv", [{**row, "score": f"{row['label'] == 'good':d}"} for row in table])
    text = (
        TINY.replace(head, task)
        .replace("[evaluate]", "[evaluate]\nbaselines = []")
        .replace("max_length = 16\n", f'max_length = 16\npooling = "{pooling}"\n{LOWEST}')
    )
    alike(tiny, text, tmp_path, "layer")


@pytest.mark.slow
@pytest.mark.parametrize(("model", "level"), [(WHOLE, "text"), (LOWEST, "layer")], ids=["probe", "lowest"])
def test_a_decoder_drops_nothing_below(tiny: Path, tmp_path: Path, model: str, level: str) -> None:
    """GPT-2 drops parts of its embeddings in a module that has no weights and belongs to no layer."""
    from transformers import GPT2Config, GPT2Model

    folder = tiny.parent / "gpt2"
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(WORDS), n_embd=16, n_layer=2, n_head=2, n_positions=64, pad_token_id=0)
    GPT2Model(config).save_pretrained(folder)
    shutil.copy(tiny.parent / "encoder" / "tokenizer.json", folder)
    text = TINY.replace("./encoder", "./gpt2").replace(
        "max_length = 16\n", f'max_length = 16\npooling = "mean"\n{model}'
    )
    alike(tiny, text, tmp_path, level)


def alike(spec: Path, text: str, folder: Path, level: str) -> None:
    """Hold curves and scores with kept activations to those without."""
    for share in ("auto", "off"):
        spec.write_text(text.replace("threads = 1", f'threads = 1\nshare = "{share}"'), encoding="utf-8")
        found = prepare(spec, folder / share).kept.frozen
        assert (found and found.level) == (level if share == "auto" else None)
        done(spec, folder / share)
    assert list((folder / "auto" / "cache").glob("activate/[0-9a-f]*"))
    for table in ("metrics", "scores"):
        (first, ours), (second, theirs) = values(folder / "auto", table), values(folder / "off", table)
        assert first == second
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_bf16_is_kept_as_its_bits() -> None:
    numbers = np.array([[1.0, -2.5, 3.14159, 1e-30, 0.0]], dtype=np.float32)
    kept = narrowed(numbers)
    assert kept.dtype == np.uint16
    np.testing.assert_array_equal(widened(kept), torch.from_numpy(numbers).bfloat16().float().numpy())
    assert widened(numbers) is not numbers
