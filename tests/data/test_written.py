"""Rows that models write: only when they are needed, on train only, once, chunk by chunk."""

from __future__ import annotations

import json
import shutil

import pytest

from runner.cache.cache import Cache
from runner.data.faults import DataFaults
from runner.data.load import load
from runner.data.written import chunks
from runner.parts import slices as slicing
from runner.parts.augment._augmentation import Parent
from runner.parts.augment._models import load as load_model
from runner.parts.augment.masked_words import MaskedWords
from runner.spec.tables import Data

WORDS = ["the", "quick", "brown", "fox", "runs", "now", "away", "and", "sees", "a", "good", "bad", "film", "day"]
# No two texts are nearly the same, or there would be leaks.
TABLE = [{"text": " ".join(WORDS[(row * step + row // 3) % 14] for step in range(1, 9)) + f" {row * row}",
          "label": "xy"[row % 2]} for row in range(300)]  # fmt: skip
MASKED = {"type": "masked_words", "model": "./masked"}


@pytest.fixture
def prepare(tmp_path, writers):
    """Load a data set, beside whose file the models lie."""
    for model in writers.iterdir():
        if not (tmp_path / model.name).exists():
            shutil.copytree(model, tmp_path / model.name)

    def prepare(*augment, table=TABLE, complete=True, **fields):
        (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table), encoding="utf-8")
        data = {"train": "t.jsonl", "validation": {"fraction": 0.2}, "augment": list(augment), **fields}
        given = Data.model_validate(data)
        return load("toy", given, tmp_path, ("text",), ("label",), Cache(tmp_path / "cache"), None, complete)

    return prepare


@pytest.fixture
def loads(monkeypatch):
    """The models that were loaded."""
    found = []

    def counted(place, kind):
        found.append(place.name)
        return load_model(place, kind)

    for module in ("_filler", "_generation", "_encoder"):
        monkeypatch.setattr(f"runner.parts.augment.{module}.load", counted)
    return found


def rows(found):
    return {row["id"]: (row["text"], row["label"], row["parent"]) for row in found.splits["train"].to_pylist()}


def files(folder):
    return sorted(folder.glob("written/[!.]*"))


def test_the_check_writes_nothing_and_knows_the_key_and_the_most(prepare, loads):
    early = prepare({**MASKED, "copies": 2, "share": 0.5}, complete=False)
    assert loads == [] and not early.complete
    assert early.stages[-1].entry is None
    late = prepare({**MASKED, "copies": 2, "share": 0.5})
    assert loads == ["masked"] and late.complete
    assert (early.fingerprint, early.keys) == (late.fingerprint, late.keys)
    assert [each[:3] for each in early.stages] == [each[:3] for each in late.stages]
    assert set(early.splits["train"]["id"].to_pylist()) < set(rows(late))
    before = len(early.splits["train"])
    parents = {parent for _, _, parent in rows(late).values() if parent}
    assert before + len(parents) * 2 <= early.rows["train"] == early.stages[-1].most
    assert late.rows["train"] <= early.rows["train"] == sum(early.labels["label"]["train"].values())
    assert early.rows["validation"] == late.rows["validation"]


def test_new_rows_stand_in_train_only_and_no_model_is_loaded_again(prepare, loads):
    found = prepare(MASKED)
    made = [row for row in rows(found).values() if row[2]]
    assert len(made) > 50
    known = rows(found)
    assert all(label == known[parent][1] and text != known[parent][0] for text, label, parent in made)
    assert "parent" not in found.splits["validation"].column_names
    assert rows(prepare(MASKED)) == known
    assert rows(prepare(MASKED, complete=False)) == known
    assert loads == ["masked"]


def test_the_order_of_rows_changes_nothing(prepare, tmp_path):
    one = rows(prepare(MASKED))
    shutil.move(tmp_path / "cache", tmp_path / "before")
    assert rows(prepare(MASKED, table=TABLE[::-1])) == one


def test_other_augmentations_and_more_copies_keep_what_was_written(prepare, loads, tmp_path):
    prepare(MASKED)
    before = files(tmp_path / "cache")
    prepare(MASKED, {"type": "swap_words"})
    assert (loads, files(tmp_path / "cache")) == (["masked"], before)
    prepare({**MASKED, "copies": 2})
    assert set(before) < set(files(tmp_path / "cache"))


def test_an_edited_row_costs_one_chunk(prepare, tmp_path):
    prepare(MASKED)
    before = set(files(tmp_path / "cache"))
    assert len(before) > 1
    prepare(MASKED, table=[{"text": "a new row that nobody saw", "label": "x"}, *TABLE])
    assert len(set(files(tmp_path / "cache")) - before) <= 1


def test_work_that_was_stopped_goes_on(prepare, tmp_path, monkeypatch):
    whole = rows(prepare(MASKED))
    shutil.move(tmp_path / "cache", tmp_path / "before")
    ready, left = MaskedWords.ready, [1]

    def stopping(part, places):
        write = ready(part, places)

        def stop(parents):
            if not left:
                raise KeyboardInterrupt
            left.pop()
            return write(parents)

        return stop

    monkeypatch.setattr(MaskedWords, "ready", stopping)
    with pytest.raises(KeyboardInterrupt):
        prepare(MASKED)
    kept = [file.stat().st_ino for file in files(tmp_path / "cache")]
    assert len(kept) == 1
    monkeypatch.setattr(MaskedWords, "ready", ready)
    assert rows(prepare(MASKED)) == whole
    assert kept[0] in [file.stat().st_ino for file in files(tmp_path / "cache")]


def test_the_key_follows_the_weights_and_not_the_folder(prepare, tmp_path):
    key = prepare(MASKED, complete=False).fingerprint
    (tmp_path / "masked").rename(tmp_path / "renamed")
    renamed = {**MASKED, "model": "./renamed"}
    assert prepare(renamed, complete=False).fingerprint == key
    config = tmp_path / "renamed/config.json"
    config.write_text(config.read_text() + "\n")
    assert prepare(renamed, complete=False).fingerprint != key


def test_what_was_refused_is_counted_by_its_reason(prepare):
    part = {"type": "paraphrase", "model": "./causal", "embedder": "./encoder", "min_similarity": 0.9, "max_tokens": 8}
    found = prepare(part)
    (facts,) = (each for each in found.account if each["step"] == "paraphrase")
    assert facts["refused"]["an answer without an end"] > 0
    assert facts["made"] + sum(facts["refused"].values()) <= facts["rows"]
    assert len(found.splits["train"]) == facts["rows"] + facts["made"]


@pytest.mark.parametrize(
    ("part", "field", "message"),
    [
        ({**MASKED, "model": "./encoder"}, "model", "`./encoder` is an encoder"),
        ({**MASKED, "model": "./nowhere"}, "model", "no model folder `./nowhere`"),
        ({**MASKED, "model": "package:no-such"}, "model", "the package `no-such` is not installed"),
        ({**MASKED, "embedder": "./causal"}, "embedder", "`./causal` is a causal language model such as Llama"),
        ({"type": "paraphrase", "model": "./encoder"}, "model", "`./encoder` is an encoder"),
        (
            {"type": "back_translate", "to": "./seq2seq", "back": "./chat"},
            "back",
            "`./chat` is a causal language model",
        ),
        ({"type": "paraphrase", "model": "./broken.gguf"}, "model", "`./broken.gguf`: "),
    ],
)
def test_a_model_that_does_not_fit_is_told_with_all_other_faults(part, field, message, prepare, tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGML")
    with pytest.raises(DataFaults) as error:
        prepare({"type": "swap_words"}, part, test="nowhere.csv", complete=False)
    found = {each.where: each for each in error.value.faults}
    assert set(found) == {("test",), ("augment", 1, field)}
    assert found["augment", 1, field].message.startswith(message)


def test_chunks_are_cut_by_the_ids_alone():
    parents = [Parent(f"{row:04}", "", None, []) for row in range(2000)]
    cut = list(chunks(parents))
    assert [each for chunk in cut for each in chunk] == parents
    assert 8 < len(cut) < 30
    again = [[each.id for each in chunk] for chunk in chunks(parents[:700] + parents[701:])]
    assert sum([each.id for each in chunk] in again for chunk in cut) >= len(cut) - 2


def test_where_slices_are_cut_lets_nothing_be_written_again(prepare, loads, tmp_path, monkeypatch):
    whole = prepare({**MASKED, "copies": 2})
    assert loads
    loads.clear()
    shutil.rmtree(tmp_path / "cache" / "augment")
    monkeypatch.setattr(slicing, "BYTES", 300)
    assert rows(prepare({**MASKED, "copies": 2})) == rows(whole)
    assert loads == []
