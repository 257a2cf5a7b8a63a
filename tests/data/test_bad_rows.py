"""Rows that nobody wants, in every format and through every stage: each is read, left out with a reason, or refused at its place."""

from __future__ import annotations

import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.data.encode import encode
from runner.data.faults import DataFaults
from runner.data.recipe import Recipe
from runner.parts.tasks._form import Form
from tests.data.preparing import FIELDS

OTHER = "text,label\nanother text of its own,x\nquite different words,y\n"


@pytest.fixture(autouse=True)
def validation(put) -> None:
    put("v.csv", OTHER)


def refused(load_data, **fields: Any) -> tuple[str, str]:
    with pytest.raises(DataFaults) as caught:
        load_data(validation="v.csv", **fields)
    (fault,) = caught.value.faults
    return fault.message, fault.hint


def jsonl(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def parquet(path: Path, **columns: Any) -> None:
    pq.write_table(pa.table(columns), path)


NULLS: list[tuple[str, str]] = [
    ("t.jsonl", '{"text": null, "label": "x"}\n{"text": "a b", "label": "y"}\n'),
    ("t.json", '[{"text": null, "label": "x"}, {"text": "a b", "label": "y"}]'),
    ("missing.jsonl", '{"label": "x"}\n{"text": "a b", "label": "y"}\n'),
    ("t.parquet", ""),
]


@pytest.mark.parametrize(("name", "content"), NULLS, ids=[name for name, _ in NULLS])
def test_a_null_text_is_refused_or_left_out(put, load_data, tmp_path, name, content):
    if content:
        put(name, content)
    else:
        parquet(tmp_path / name, text=[None, "a b"], label=["x", "y"])
    message, hint = refused(load_data, train=name)
    assert message.startswith(f"`{name}` has 1 row with an empty text or label: line 1 (`text` is missing)")
    assert 'empty_text = "drop"' in hint
    loaded = load_data(train=name, validation="v.csv", empty_text="drop")
    assert loaded.splits["train"]["text"].to_pylist() == ["a b"]
    assert [(each.line, each.step, each.reason) for each in loaded.dropped()] == [(1, "read", "`text` is missing")]


WRONG: list[tuple[str, bytes, int]] = [
    ("t.csv", b"text,label\nok,x\n\xff,y\n", 3),
    ("t.tsv", b"text\tlabel\n\xff\tx\n", 2),
    ("t.jsonl", b'{"text":"a","label":"x"}\n{"text":"\xff","label":"x"}\n', 2),
    ("t.json", b'[{"text":"\xff","label":"x"}]', 1),
    ("t.txt", b"ok\n\xff\n", 2),
    ("t.conll", b"a B\n\xff O\n", 2),
    ("t.conllu", b"1\ta\ta\tX\t_\t_\t0\t_\t_\t_\n2\t\xff\ta\tX\t_\t_\t0\t_\t_\t_\n", 2),
]


@pytest.mark.parametrize(("name", "content", "line"), WRONG, ids=[name for name, _, _ in WRONG])
def test_invalid_utf_8_is_named_by_its_line(put, load_data, name, content, line):
    put(name, content)
    message, hint = refused(load_data, train=name)
    assert message.startswith(f"`{name}` has 1 broken row: line {line}: byte 0xff at column ")
    assert hint == "save the file as UTF-8"


@pytest.mark.parametrize("column", ["text", "label", "other"])
def test_strings_of_parquet_that_are_not_utf_8(load_data, tmp_path, column):
    bytes_of = pa.array([b"a b", b"caf\xe9", None, b"\xff"], pa.binary())
    wrong = pa.StringArray.from_buffers(4, bytes_of.buffers()[1], bytes_of.buffers()[2], bytes_of.buffers()[0])
    good = pa.array(["a b", "c d", "e f", "g h"])
    parquet(tmp_path / "t.parquet", **{"text": good, "label": good, column: wrong})
    message, _ = refused(load_data, train="t.parquet")
    assert message == (
        "`t.parquet` has 2 broken rows: line 2: byte 0xe9 at column 4 is not UTF-8; line 4: byte 0xff at column 1 is not UTF-8"
    )


def test_nul_bytes_go_through_every_stage(put, load_data, tokenizer_file, cache):
    rows = [f"a\0cat {i * 7919} sat {i * 104729} far,{'x' if i % 3 else 'y'}" for i in range(40)]
    put("t.csv", "\n".join(["text,label", *rows, "\0,x", ""]))
    loaded = load_data(**FIELDS, test="v.csv")
    texts = loaded.splits["train"]["text"].to_pylist()
    assert len(texts) > 41 and all("\0" in text for text in texts)
    tokens = encode(
        loaded.splits["train"], Recipe(Form(("text",)), tokenizer_file, 16), cache, {"rows": loaded.keys["train"]}
    )
    assert tokens.num_rows == len(texts) and min(tokens["tokens"].to_pylist()) >= 2


DAY = datetime.date(2020, 1, 1)
LABELS: list[tuple[Any, list[str] | str]] = [
    ([1, 2, 1], ["1", "2", "1"]),
    ([1.0, 2.5, 1.0], ["1", "2.5", "1"]),
    ([True, False, True], ["true", "false", "true"]),
    ([decimal.Decimal("1.0")] * 3, ["1.0"] * 3),
    ([DAY] * 3, ["2020-01-01"] * 3),
    (pa.array(["x", "y", "x"]).dictionary_encode(), ["x", "y", "x"]),
    (pa.array(["x", "y", "x"], pa.large_string()), ["x", "y", "x"]),
    ([b"x", b"y", b"x"], "holds bytes"),
    ([[1], [2], [1]], "holds lists"),
    ([{"a": 1}] * 3, "holds tables"),
    ([None, None, None], "has 3 rows with an empty text or label: line 1 (`label` is missing)"),
    ([float("nan")] * 3, "has 3 rows with an empty text or label: line 1 (`label` is missing)"),
]


@pytest.mark.parametrize(("column", "found"), LABELS, ids=lambda value: str(value)[:20])
def test_labels_of_any_type_become_text_or_are_refused(load_data, tmp_path, column, found):
    parquet(tmp_path / "t.parquet", text=["one cat", "two dogs", "three mats"], label=column)
    if isinstance(found, str):
        assert found in refused(load_data, train="t.parquet")[0]
    else:
        loaded = load_data(train="t.parquet", validation="v.csv")
        assert loaded.splits["train"]["label"].to_pylist() == found
        assert sum(loaded.labels["label"]["train"].values()) == 3


def test_labels_of_one_split_that_have_another_type_are_the_same_labels(put, load_data, tmp_path):
    put("t.csv", "text,label\none cat,1\ntwo dogs,0\n")
    put("v.jsonl", jsonl({"text": "three mats", "label": 1}, {"text": "four days", "label": "0"}))
    parquet(tmp_path / "e.parquet", text=["five trees", "six lakes"], label=[1.0, 0.0])
    loaded = load_data(train="t.csv", validation="v.jsonl", test="e.parquet")
    assert loaded.labels["label"] == {split: {"1": 1, "0": 1} for split in ("train", "validation", "test")}


@pytest.mark.slow
def test_ten_megabytes_in_one_row_go_through_every_stage(put, load_data, tokenizer_file, cache):
    small = [{"text": f"the cat {i * 7919} sat {i * 104729} far", "label": "xyy"[i % 3]} for i in range(40)]
    put("t.jsonl", jsonl({"text": "the cat sat on the mat and ran far away " * 250_000, "label": "x"}, *small))
    loaded = load_data(**{**FIELDS, "train": "t.jsonl", "validation": "v.csv"})
    longest = [max(loaded.splits["train"]["text"].to_pylist(), key=len)]
    assert 9_990_000 < len(longest[0]) < 10_000_010
    tokens = encode(
        loaded.splits["train"], Recipe(Form(("text",)), tokenizer_file, 16), cache, {"rows": loaded.keys["train"]}
    )
    assert max(tokens["tokens"].to_pylist()) > 2_400_000 and max(map(len, tokens["input_ids"].to_pylist())) == 16


@pytest.mark.parametrize("cleaner", ["exact_duplicates", "near_duplicates"])
def test_many_repeats_of_one_row_leave_one(put, load_data, cleaner):
    put("t.csv", "text,label\n" + "the very same row of text,x\n" * 30_000 + "something else entirely,y\n")
    loaded = load_data(train="t.csv", validation="v.csv", clean=[{"type": cleaner, "files": ["train"]}])
    assert loaded.rows["train"] == 2
    went = list(loaded.dropped())
    (kept,) = (row["id"] for row in loaded.splits["train"].to_pylist() if row["label"] == "x")
    assert len(went) == 29_999 and {each.twin for each in went} == {kept} and len({each.id for each in went}) == 29_999
    (facts,) = (facts for facts in loaded.account if facts["step"] == cleaner and facts["split"] == "train")
    assert sum(facts["dropped"].values()) == 29_999 and all(len(rows) == 3 for rows in facts["samples"].values())


@pytest.mark.parametrize("mode", ["drop", "warn"])
def test_many_repeats_that_leak_are_told_one_by_one(put, load_data, mode):
    put("t.csv", "text,label\n" + "the very same row of text,x\n" * 30_000 + "something else entirely,y\n")
    put("e.csv", "text,label\nthe very same row of text,x\n")
    loaded = load_data(train="t.csv", validation="v.csv", test="e.csv", leakage=mode)
    assert loaded.rows["train"] == (1 if mode == "drop" else 30_001)
    went = [each for each in loaded.dropped() if each.step == "leakage"]
    assert {(each.split, each.reason, each.twin, each.flagged) for each in went} == {
        ("train", "also in test", loaded.splits["test"]["id"][0].as_py(), mode == "warn")
    }
    assert [each.line for each in went] == list(range(2, 30_002))


def test_many_repeats_of_one_row_are_balanced_and_augmented(put, load_data):
    put("t.csv", "text,label\n" + "the very same row of text,x\n" * 20_000 + "something else entirely,y\n" * 2)
    loaded = load_data(train="t.csv", validation="v.csv", balance="oversample", augment=[{"type": "swap_words"}])
    ids = loaded.splits["train"]["id"].to_pylist()
    assert loaded.rows["train"] > 40_000 and len(set(ids)) == len(ids)
    made = [row["text"] for row in loaded.splits["train"].to_pylist() if row["parent"]]
    assert made and len(set(made)) == len(made)


EMPTYING = [{"type": "lowercase"}, {"type": "pattern", "find": r".*cat.*", "replace": ""}]


def test_a_text_that_a_cleaner_empties_goes_with_a_reason(put, load_data):
    put("t.csv", "text,label\nThe cat sat,x\nThe dog ran,y\n")
    loaded = load_data(train="t.csv", validation="v.csv", clean=EMPTYING)
    assert loaded.splits["train"]["text"].to_pylist() == ["the dog ran"]
    assert [(each.line, each.step, each.reason, each.text) for each in loaded.dropped()] == [
        (2, "pattern", "no text is left", "the cat sat")
    ]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_cleaner_that_empties_all_texts_of_a_split_is_named(put, load_data, split):
    files = {name: f"{name}.csv" for name in ("train", "validation", "test")}
    for number, name in enumerate(files):
        put(f"{name}.csv", f"text,label\na cat {number},x\n" + (f"dogs of {'abc'[number] * 9},y\n" if name != split else ""))  # fmt: skip
    with pytest.raises(DataFaults) as caught:
        load_data(**files, clean=EMPTYING)
    (fault,) = caught.value.faults
    assert fault.where == ("clean", 1) and fault.message == (
        f"`{split}` would be empty: `pattern` drops the only row of `{split}.csv`: 1 no text is left"
    )


CATS = [{**EMPTYING[1], "find": "no such word"}, *EMPTYING, {"type": "length", "unit": "words", "min": 2}]


@pytest.mark.parametrize(
    ("cats", "fields", "where", "told"),
    [
        (
            50,
            {"validation": {"fraction": 0.01}},
            ("clean", 2),
            "`validation` would be empty: fraction 0.01 of the 1 row of `train` gives none; `pattern` drops 50 of the "
            "52 rows of `t.csv`: 50 no text is left; 1 by `length`",
        ),
        (
            1,
            {"validation": {"fraction": 0.01}},
            ("clean", 2),
            "`validation` would be empty: fraction 0.01 of the 1 row of `train` gives none; `pattern` drops 1 of the "
            "3 rows of `t.csv`: 1 no text is left; 1 by `length`",
        ),
        (
            0,
            {"validation": {"fraction": 0.01}},
            ("validation",),
            "`validation` would be empty: fraction 0.01 of the 1 row of `train` gives none",
        ),
        (
            50,
            {"validation": {"column": "label", "values": ["y"]}},
            ("clean", 2),
            "`train` would be empty: the other splits take all rows of `t.csv`; `pattern` drops 50 of the 52 rows of "
            "`t.csv`: 50 no text is left; 1 by `length`",
        ),
        (
            50,
            {"validation": {"column": "label", "values": ["x"]}},
            ("clean", 2),
            "`validation` gets no `x`: `pattern` takes 50 of the 50 rows whose `label` is that: no text is left",
        ),
        (
            2,
            {"validation": {"column": "label", "values": ["z"]}},
            ("clean", 3),
            "`validation` gets no `z`: `length` takes 1 of the 1 row whose `label` is that: shorter than 2 words",
        ),
    ],
)
def test_cleaning_that_leaves_too_few_rows_for_a_split_is_named(put, load_data, cats, fields, where, told):
    """The kind `pattern` stands twice in `clean`: the fault is at the one that took the rows."""
    put("t.csv", "text,label\n" + "".join(f"a cat {i},x\n" for i in range(cats)) + "one dog,y\nalone,z\n")
    with pytest.raises(DataFaults) as caught:
        load_data(train="t.csv", clean=CATS, **fields)
    (fault,) = caught.value.faults
    assert (fault.where, fault.message) == (where, told)
    assert ("loosen" in fault.hint) == (where[0] == "clean")


def test_the_cleaner_that_took_most_rows_is_named_not_the_last(put, load_data):
    put("t.csv", "text,label\n" + "".join(f"a cat {i},x\n" for i in range(1200)) + "alone,z\n,z\n")
    with pytest.raises(DataFaults) as caught:
        load_data(train="t.csv", validation={"fraction": 0.5}, clean=CATS, empty_text="drop")
    (fault,) = caught.value.faults
    assert fault.where == ("clean", 2) and fault.message == (
        "`train` would be empty: `pattern` drops 1,200 of the 1,202 rows of `t.csv`: 1,200 no text is left; "
        "1 by `read`, 1 by `length`"
    )


@pytest.mark.parametrize("workers", ["1", "2"])
def test_of_two_cleaners_of_one_kind_the_one_that_fails_is_named(put, load_data, monkeypatch, workers):
    monkeypatch.setenv("RUNNER_WORKERS", workers)
    put("t.csv", "text,label\n" + "a" * 40 + "!,x\nfine,y\n")
    slow = {"type": "pattern", "find": "(a|aa)+$", "timeout": 0.05}
    same = {"type": "pattern", "find": "zzz"}
    clean = [same, {"type": "exact_duplicates"}, {**same, "files": ["test"]}, same, {**slow, "files": ["train"]}, same]
    with pytest.raises(DataFaults) as caught:
        load_data(train="t.csv", validation="v.csv", clean=clean)
    (fault,) = caught.value.faults
    assert fault.where == ("clean", 4)
    assert fault.message.startswith("`t.csv` line 2: pattern `(a|aa)+$` took more than 0.05 s")
