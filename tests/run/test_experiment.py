"""Whole runs of tiny specs: what is done, what is not done again, and what stops them."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock

from runner.errors import RunnerError
from runner.model.save import load
from runner.run.experiment import prepare, resume, run
from runner.store.query import query
from runner.train import module, state
from tests.conftest import events, rows, write_csv

pytestmark = pytest.mark.slow


def done(spec: Path, results: Path) -> list[dict[str, Any]]:
    """The results of all runs of a spec."""
    plan = prepare(spec, results)
    return [run(plan, trial, results, show=False) for trial in plan.trials]


def edit(spec: Path, old: str, new: str) -> None:
    text = spec.read_text(encoding="utf-8")
    assert old in text
    spec.write_text(text.replace(old, new), encoding="utf-8")


def weights(result: dict[str, Any]) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(result["model"]).glob("*.safetensors")}


def test_equal_work_is_done_once_and_gives_equal_bits(tiny: Path, tmp_path: Path) -> None:
    (first,) = done(tiny, tmp_path / "one")
    edit(tiny, 'name = "tiny"', 'name = "tiny"\ndescription = "the same work"')
    (again,) = done(tiny, tmp_path / "one")
    assert again == {**first, "again": True}
    assert [each["event"] for each in events(tmp_path / "one", first["run"])].count("run_started") == 1
    (elsewhere,) = done(tiny, tmp_path / "two")
    assert weights(elsewhere) == weights(first) and elsewhere["scores"] == first["scores"]


def test_seeds_are_runs_of_their_own_and_share_what_is_prepared(tiny: Path, tmp_path: Path) -> None:
    edit(tiny, "seed = 13", "seeds = [13, 14]")
    first, second = done(tiny, tmp_path)
    assert weights(first) != weights(second)
    cached = "SELECT cached FROM stages WHERE name LIKE 'encode%' AND run = ?"
    assert {row["cached"] for row in query(tmp_path, cached, [first["run"]]).to_pylist()} == {False}
    assert prepare(tiny, tmp_path).trials[1].steps[1].cached


def test_an_adapter_is_trained_saved_and_loaded(tiny: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModel

    edit(tiny, "max_length = 16", 'max_length = 16\n[model.adapter]\ntype = "lora"\nrank = 2\ntargets = ["query"]')
    (result,) = done(tiny, tmp_path)
    folder = Path(result["model"])
    assert (folder / "adapter_model.safetensors").stat().st_size < 20_000
    base = AutoModel.from_pretrained(tiny.parent / "encoder")
    assert PeftModel.from_pretrained(base, folder).peft_config["default"].r == 2
    assert_answers_as_recorded(result, tmp_path)


def test_pairs_of_texts_and_shown_labels(tiny: Path, tmp_path: Path) -> None:
    edit(
        tiny, '[tasks.mood]\ntype = "classification"', '[tasks.mood]\ntype = "classification"\ninput = ["text", "size"]'
    )
    edit(tiny, "[tasks.length]", 'label_names = { good = "Good!" }\n\n[tasks.length]')
    (result,) = done(tiny, tmp_path)
    shown = query(tmp_path, "SELECT DISTINCT gold, text FROM answers WHERE task = 'mood' ORDER BY ALL").to_pylist()
    assert {row["gold"] for row in shown} == {"Good!", "bad"}
    assert all(" | " in row["text"] for row in shown)
    pair = shown[0]["text"].split(" | ")
    (answer,) = load(result["model"])([(pair[0], pair[1])])
    assert set(answer["mood"]) == {"Good!", "bad"} and sum(answer["mood"].values()) == pytest.approx(1)


def test_two_data_sets_are_mixed_on_one_trunk(tiny: Path, tmp_path: Path) -> None:
    write_csv(tiny.parent / "books.csv", rows(24, 200))
    edit(tiny, "[tasks.mood]", '[data.books]\ntrain = "books.csv"\n\n[tasks.mood]')
    edit(tiny, 'data = ["films"]\ntarget = "size"', 'data = ["books"]\ntarget = "size"')
    edit(tiny, "[train]", '[mixing]\nstrategy = "uniform"\n\n[train]')
    (result,) = done(tiny, tmp_path)
    assert {(score["task"], score["split"]) for score in result["scores"]} == {
        ("mood", "validation"),
        ("mood", "test"),
        ("length", "validation"),
    }


def test_a_text_of_a_megabyte_is_cut_and_answered(tiny: Path, tmp_path: Path) -> None:
    table = rows(24, 80)
    table[3]["text"] = "the good day " * 90_000
    write_csv(tiny.parent / "test.csv", table)
    (result,) = done(tiny, tmp_path)
    asked = "SELECT length(text) AS n FROM answers WHERE split = 'test' AND task = 'mood' ORDER BY n DESC LIMIT 1"
    assert query(tmp_path, asked).to_pylist() == [{"n": len(table[3]["text"])}]
    assert_answers_as_recorded(result, tmp_path)


def test_a_run_in_bf16_is_repeatable_and_close_to_one_in_fp32(tiny: Path, tmp_path: Path) -> None:
    (whole,) = done(tiny, tmp_path / "fp32")
    edit(tiny, '"fp32"', '"bf16"')
    (result,) = done(tiny, tmp_path / "bf16")
    (again,) = done(tiny, tmp_path / "again")
    assert weights(again) == weights(result) and again["scores"] == result["scores"]
    assert result["key"] != whole["key"]
    assert_answers_as_recorded(result, tmp_path / "bf16", within=0.01)


def assert_answers_as_recorded(result: dict[str, Any], results: Path, within: float = 1e-5) -> None:
    """The exported folder says the same as the run did; it answers in fp32."""
    asked = "SELECT text, predicted, confidence FROM answers WHERE split = 'test' AND task = 'mood' LIMIT 5"
    found = query(results, asked).to_pylist()
    for row, answer in zip(found, load(result["model"])([row["text"] for row in found]), strict=True):
        assert answer["mood"][row["predicted"]] == pytest.approx(row["confidence"], abs=within)


def test_a_loss_that_is_no_number_stops_with_its_step_and_keeps_the_best(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.Module.losses

    def spoiled(self: Any, batch: Any, number: int) -> dict[str, torch.Tensor]:
        losses = real(self, batch, number)
        return {name: loss * float("nan") for name, loss in losses.items()} if self.global_step == 12 else losses

    monkeypatch.setattr(module.Module, "losses", spoiled)
    with pytest.raises(RunnerError, match="not a number at step 13") as caught:
        done(tiny, tmp_path)
    assert "learning_rate" in caught.value.hint
    (failure,) = query(tmp_path, "SELECT kind, step, trace FROM failures").to_pylist()
    assert (failure["kind"], failure["step"]) == ("RunnerError", 12) and "training_step" in failure["trace"]
    assert query(tmp_path, "SELECT state FROM runs").to_pylist() == [{"state": "failed"}]
    (folder,) = (tmp_path / "runs").iterdir()
    assert state.load(folder / "state" / "best" / "best.pt") is not None


def test_a_full_disk_is_told_and_the_run_goes_on_to_the_same_bits(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = done(tiny, tmp_path / "whole")
    real, calls = torch.save, iter(range(99))

    def full(*given: Any, **more: Any) -> None:
        if next(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(*given, **more)

    monkeypatch.setattr(torch, "save", full)
    results = tmp_path / "full"
    with pytest.raises(RunnerError, match="No space left on device") as caught:
        done(tiny, results)
    assert "resume" in caught.value.hint
    recorded = events(results, whole["run"])
    assert [each["event"] for each in recorded][-2:] == ["failure", "run_finished"]
    assert resume(results, whole["run"], show=False)["scores"] == whole["scores"]
    assert weights(whole) == {f.name: f.read_bytes() for f in (results / "runs").glob("*/model/*.safetensors")}
    assert events(results, whole["run"])[: len(recorded)] == recorded


def test_a_run_that_another_process_works_on_is_left_alone(tiny: Path, tmp_path: Path) -> None:
    plan = prepare(tiny, tmp_path)
    folder = tmp_path / "runs" / plan.trials[0].run
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"), pytest.raises(RunnerError, match="another process"):
        run(plan, plan.trials[0], tmp_path, show=False)


def test_a_run_whose_spec_has_changed_does_not_go_on(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "save", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(RunnerError, match="full"):
        done(tiny, tmp_path)
    (name,) = [folder.name for folder in (tmp_path / "runs").iterdir()]
    edit(tiny, "learning_rate = 5e-3", "learning_rate = 4e-3")
    with pytest.raises(RunnerError, match="have changed since") as caught:
        resume(tmp_path, name[:9])
    assert "runner run" in caught.value.hint


def test_the_card_and_the_specs_lie_beside_the_weights(tiny: Path, tmp_path: Path) -> None:
    (result,) = done(tiny, tmp_path)
    folder = Path(result["model"])
    card = (folder / "README.md").read_text(encoding="utf-8")
    for part in (
        "## Data",
        "| films | train | 64 | not stated |",
        "## Scores",
        "| test | mood | macro_f1 | best |",
        "## Limits",
    ):
        assert part in card
    assert (folder / "spec.toml").read_bytes() == tiny.read_bytes()
    assert json.loads((folder / "spec.json").read_bytes())["train"]["weight_decay"] == 0.01


def test_a_run_lets_a_model_write_rows_that_its_plan_only_counts(tiny: Path, writers: Path, tmp_path: Path) -> None:
    (tiny.parent / "writers").symlink_to(writers)
    part = '{ type = "masked_words", model = "writers/masked", alpha = 0.3 }'
    edit(tiny, 'test = "test.csv"', f'test = "test.csv"\naugment = [{part}]')
    early = prepare(tiny, tmp_path, complete=False)
    (step,) = (each for each in early.trials[0].steps if each.name == "augment films")
    assert (step.cached, step.reason) == (False, "a model writes the rows when `run` or `data` needs them")
    assert step.detail == {"rows at most": 128}
    assert not (tmp_path / "cache/written").exists()
    late = prepare(tiny, tmp_path)
    assert [each.key for each in late.trials] == [each.key for each in early.trials]
    assert [each.key for each in late.trials[0].steps] == [each.key for each in early.trials[0].steps]
    result = run(late, late.trials[0], tmp_path, show=False)
    found = query(tmp_path, "SELECT rows FROM stages WHERE name = 'augment films'").to_pylist()
    assert 64 < found[0]["rows"] <= 128
    assert run(early, early.trials[0], tmp_path, show=False) == {**result, "again": True}


def test_the_stages_of_preparation_say_who_did_them_and_how_many_rows_they_have(tiny: Path, tmp_path: Path) -> None:
    edit(tiny, 'test = "test.csv"', 'test = "test.csv"\naugment = [{ type = "swap_words" }, { type = "typos" }]')
    (first,) = done(tiny, tmp_path)
    asked = "SELECT name, rows, cached, seconds >= 0 AS timed FROM stages WHERE run = '{}' AND name IN {} ORDER BY name"
    names = "('augment films', 'clean films train', 'split films')"
    made = query(tmp_path, asked.format(first["run"], names)).to_pylist()
    rows = sum(query(tmp_path, "SELECT rows FROM stages WHERE name = 'encode films:text train'").to_pydict()["rows"])
    assert [(each["name"], each["rows"], each["cached"], each["timed"]) for each in made] == [
        ("augment films", rows, False, True), ("clean films train", 64, False, True), ("split films", 104, False, True),
    ]  # fmt: skip
    edit(tiny, "epochs = 3", "epochs = 2")
    (second,) = done(tiny, tmp_path)
    again = query(tmp_path, asked.format(second["run"], names)).to_pylist()
    assert [each["cached"] for each in again] == [True] * 3
