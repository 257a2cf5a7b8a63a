"""From the words of a spec to splits with ids: what is kept, what is dropped, and everything that is refused."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.data.faults import DataFaults
from runner.data.load import Dropped, File

TRAIN = "text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(40))
TEST = "text,label\nx,a\ny,b\n"


def faults(load_data, **fields):
    with pytest.raises(DataFaults) as caught:
        load_data(**fields)
    return caught.value.faults


def content_id(**values: str) -> str:
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


class TestRows:
    def test_literal(self, put, load_data):
        put("train.csv", TRAIN)
        test = put("test.csv", "id,text,label\n7,é,1\n8,x,0\n9,é,1\n10,é,0\n")
        loaded = load_data(train="train.csv", validation="train.csv", test="test.csv", leakage="warn")
        one = content_id(text="é")
        assert loaded.splits["test"].to_pylist() == [
            {"id": f"{one}-1", "line": 2, "file": "test.csv", "text": "é", "label": "1"},
            {"id": content_id(text="x"), "line": 3, "file": "test.csv", "text": "x", "label": "0"},
            {"id": f"{one}-2", "line": 4, "file": "test.csv", "text": "é", "label": "1"},
            {"id": one, "line": 5, "file": "test.csv", "text": "é", "label": "0"},
        ]
        assert list(loaded.splits) == ["train", "validation", "test"]
        sha256 = hashlib.sha256(test.read_bytes()).hexdigest()
        assert loaded.files[2] == File("test", "test.csv", sha256, 4, test.stat().st_size)
        assert {each.step for each in loaded.dropped()} == {"leakage"}

    def test_ids_of_the_author(self, put, load_data):
        put("train.jsonl", '{"key": 1, "text": "x", "label": true}\n{"key": 2, "text": "x", "label": false}\n')
        put("test.jsonl", '{"key": 3, "text": "y", "label": true}\n')
        train = load_data(train="train.jsonl", validation="test.jsonl", id="key").splits["train"]
        assert train["id"].to_pylist() == ["1", "2"]
        assert train["label"].to_pylist() == ["true", "false"]

    def test_scalars_look_the_same_in_every_format(self, put, tmp_path, load_data):
        pq.write_table(
            pa.table({"text": pa.array(["x", "y"]).dictionary_encode(), "label": [1.0, 0.5]}), tmp_path / "a.parquet"
        )
        put("b.jsonl", '{"text": "x", "label": 1}\n{"text": "y", "label": 0.5}\n')
        loaded = load_data(train="a.parquet", validation="b.jsonl", leakage="warn")
        assert loaded.splits["train"]["label"].to_pylist() == ["1", "0.5"]
        assert loaded.splits["validation"]["label"].to_pylist() == ["1", "0.5"]
        assert loaded.splits["train"]["text"].type == pa.string()

    def test_ids_do_not_depend_on_the_order_of_rows(self, put, load_data):
        put("a.csv", TRAIN)
        put("b.csv", "\n".join(["text,label", *reversed(TRAIN.splitlines()[1:])]))
        splits = load_data(train="a.csv", validation="b.csv", leakage="warn").splits
        one, other = ({row["text"]: row["id"] for row in splits[name].to_pylist()} for name in ("train", "validation"))
        assert one == other

    def test_drop_counts_with_reasons(self, put, load_data):
        put("train.jsonl", '{"text": "", "label": "a"}\n{"text": "x", "label": null}\n{"text": " \\t", "label": 1}\n'
            '{"text": "ok", "label": "a"}\n')  # fmt: skip
        put("test.csv", TEST)
        loaded = load_data(train="train.jsonl", validation="test.csv", empty_text="drop")
        assert loaded.splits["train"]["text"].to_pylist() == ["ok"]
        assert list(loaded.dropped()) == [
            Dropped("train", "train.jsonl", 1, "", "read", "`text` is empty", "", False, ""),
            Dropped("train", "train.jsonl", 2, "", "read", "`label` is missing", "", False, ""),
            Dropped("train", "train.jsonl", 3, "", "read", "`text` is blank", "", False, ""),
        ]
        assert loaded.files[0].rows == 4


class TestFaults:
    def test_all_at_once(self, put, load_data):
        put("train.csv", "txt,label\nx,a\n")
        put("test.csv", "text,label\nx\n")
        found = faults(load_data, train="train.csv", validation="none.csv", test="test.csv")
        assert [fault.where for fault in found] == [("validation",), ("test",), ("train",)]
        assert found[0].message == "`none.csv` does not exist"
        assert found[1].message == "`test.csv` has 1 broken row: line 2: 1 column instead of 2: 'x'"
        assert found[2].message == "`train.csv` has no column `text`"
        assert found[2].hint == "did you mean `txt`? allowed: `label`, `txt`"

    def test_empty_texts(self, put, load_data):
        put("train.csv", "text,label\n" + "x,\n" * 7 + "ok,a\n")
        put("test.csv", TEST)
        (found,) = faults(load_data, train="train.csv", validation="test.csv")
        assert found.where == ("train",)
        listed = ", ".join(f"line {line} (`label` is empty)" for line in range(2, 7))
        assert found.message == f"`train.csv` has 7 rows with an empty text or label: {listed} and 2 more"
        assert 'empty_text = "drop"' in found.hint

    def test_nested_target(self, put, load_data):
        put("train.jsonl", '{"text": "x", "label": ["a"]}\n')
        (found,) = faults(load_data, train="train.jsonl", validation="train.jsonl")[:1]
        assert found.message == "`train.jsonl`: column `label` holds lists"

    def test_ids_that_repeat_across_files(self, put, load_data):
        put("train.csv", "id,text,label\n1,x,a\n2,y,b\n")
        put("test.csv", "id,text,label\n3,z,a\n1,q,b\n")
        (found,) = faults(load_data, train="train.csv", validation="test.csv", id="id")
        assert found.where == ("id",)
        assert found.message == "1 row with the id of another: `1` train.csv line 2 and test.csv line 3"

    def test_rows_without_an_id(self, put, load_data):
        put("train.csv", "id,text,label\n1,x,a\n,y,b\n")
        put("test.csv", "id,text,label\n3,z,a\n")
        (found,) = faults(load_data, train="train.csv", validation="test.csv", id="id")
        assert found.message == "`train.csv` has 1 row without an id: line 3 (`id` is empty)"

    def test_reserved_input(self, put, load_data):
        put("train.csv", "line,label\nx,a\n")
        found = faults(load_data, train="train.csv", validation="train.csv", inputs=("line",))
        assert found[0].message == "the column name `line` is reserved"

    def test_what_a_hub_id_needs(self, load_data, monkeypatch):
        import huggingface_hub

        def offline(*_, **__):
            raise ConnectionError("no route")

        monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", offline)
        found = faults(load_data, train="hub:owner/name#train", validation={"fraction": 0.1})
        assert found[0].message == "`hub:owner/name#train` can't be had from the hub: no route"

    def test_format_that_does_not_read_folders(self, put, load_data, tmp_path):
        put("folder/a.csv", TRAIN)
        (found, *_) = faults(load_data, train="folder", validation="folder", format="csv")
        assert found.message == "`folder` is a folder"

    @pytest.mark.parametrize(
        ("fields", "where", "message"),
        [
            ({"train": "none.csv"}, "train", "`train` would be empty: `none.csv` has no rows"),
            (
                {"train": "two.csv", "validation": {"fraction": 0.0001}},
                "validation",
                "`validation` would be empty: fraction 0.0001 of the 2 rows of `train` gives none",
            ),
            (
                {"train": "blank.csv", "empty_text": "drop"},
                "train",
                "`train` would be empty: all rows of `blank.csv` (2) lack a text or label",
            ),
        ],
    )
    def test_empty_splits_say_why(self, put, load_data, fields, where, message):
        put("none.csv", "text,label\n")
        put("two.csv", TEST)
        put("blank.csv", "text,label\nx,\n,a\n")
        found = faults(load_data, **{"validation": "two.csv", **fields})
        assert (found[0].where, found[0].message) == ((where,), message)


class TestCaching:
    fields = {"train": "train.csv", "validation": {"fraction": 0.3}, "test": "test.csv"}  # noqa: RUF012

    def test_an_edit_changes_the_fingerprint_and_only_its_file_is_read_again(self, put, load_data, cache):
        put("train.csv", TRAIN)
        put("test.csv", TEST)
        before = load_data(**self.fields)
        again = load_data(**self.fields)
        assert again == before
        assert len(list((cache.folder / "read").glob("[!.]*"))) == 2
        put("test.csv", TEST.replace("x,a", "z,a"))
        after = load_data(**self.fields)
        assert after.fingerprint != before.fingerprint
        assert after.splits["test"]["text"].to_pylist() == ["z", "y"]
        assert after.splits["train"] == before.splits["train"]
        assert len(list((cache.folder / "read").glob("[!.]*"))) == 3

    def test_names_of_files_do_not_enter_the_fingerprint(self, put, load_data):
        put("train.csv", TRAIN)
        put("test.csv", TEST)
        put("other/renamed.csv", TEST)
        moved = load_data(**{**self.fields, "test": "other/renamed.csv"})
        assert moved.fingerprint == load_data(**self.fields).fingerprint
        assert moved.splits["test"]["file"].to_pylist() == ["other/renamed.csv"] * 2

    def test_what_was_refused_is_refused_again(self, put, load_data):
        put("train.csv", "text,label\nx,\n")
        for _ in range(2):
            assert len(faults(load_data, train="train.csv", validation="train.csv")) == 2

    def test_an_edit_while_the_file_is_read_is_not_cached(self, put, load_data, cache, monkeypatch):
        from runner.parts.sources.csv import Csv

        put("train.csv", TRAIN)
        put("test.csv", TEST)
        batches = Csv.batches

        def edited(source, path):
            yield from batches(source, path)
            path.write_text(TRAIN.replace("text 1,", "text X,"))

        monkeypatch.setattr(Csv, "batches", edited)
        found = faults(load_data, **self.fields)
        assert [fault.message for fault in found] == [
            "`train.csv` changed while it was read",
            "`test.csv` changed while it was read",
        ]
        assert list((cache.folder / "read").glob("[!.]*")) == []

    def test_explained(self, put, load_data, cache):
        put("train.csv", TRAIN)
        put("test.csv", TEST)
        load_data(**self.fields)
        loaded = load_data(**{**self.fields, "validation": {"fraction": 0.2}})
        manifest = cache.manifest("split", loaded.fingerprint)
        assert manifest["why"] == "miss: `rules.validation.fraction` was 0.3, now 0.2"
        assert sum(manifest["rows"].values()) == 42


def test_importing_the_loader_imports_nothing_heavy():
    code = """
import sys, runner.data.load, runner.data.encode, runner.data.files
from runner.kinds import names, pick
[pick("sources", name) for name in names("sources")]
print([name for name in ("torch", "transformers", "lightning", "datasets", "peft", "pyarrow") if name in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
