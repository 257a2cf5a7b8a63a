"""Laws of preparation: order and workers change nothing, every row is accounted for, and a kill leaves nothing torn."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.data import packages
from runner.data.faults import DataFaults

CLEAN = [
    {"type": "normalise_space"},
    {"type": "lowercase"},
    {"type": "length", "unit": "words", "min": 2},
    {"type": "exact_duplicates"},
    {"type": "near_duplicates"},
]
words = st.lists(st.sampled_from(["red", "blue", "Green", "two  three", "naïve", "a", ""]), max_size=6).map(" ".join)
rows = st.lists(st.tuples(words, st.sampled_from("xy")), min_size=1, max_size=30)


def written(put, name, table):
    put(name, "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in table))


def outcome(loaded):
    """What is left and what went, whatever the order of the rows."""
    kept = {split: Counter(zip(t["id"].to_pylist(), t["text"].to_pylist(), t["label"].to_pylist(), strict=True))
            for split, t in loaded.splits.items()}  # fmt: skip
    went = Counter((each.id, each.step, each.reason, each.twin) for each in loaded.dropped() if each.step != "read")
    steps = [(s["step"], s["rows"], s["kept"], s["changed"], s["dropped"], s["samples"]) for s in loaded.account[1:]]
    return kept, went, steps


@given(rows, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_rows_changes_nothing(put, load_data, table, rng):
    put("v.csv", "text,label\nsomething else altogether,x\nand another thing,y\n")
    fields = {"validation": "v.csv", "clean": CLEAN, "empty_text": "drop", "leakage": "warn"}
    shuffled = rng.sample(table, len(table))
    found = []
    for name, rows in (("a.jsonl", table), ("b.jsonl", shuffled)):
        written(put, name, rows)
        try:
            found.append(outcome(load_data(train=name, **fields)))
        except DataFaults as error:
            found.append([fault.where for fault in error.faults])
    assert found[0] == found[1]


def test_workers_change_nothing(put, load_data, monkeypatch, tmp_path):
    table = [(f"Row {i % 700} of <b>many</b>", "xy"[i % 2]) for i in range(1500)]
    written(put, "t.jsonl", table)
    fields = {"train": "t.jsonl", "validation": {"fraction": 0.1}, "clean": CLEAN}
    one = load_data(**fields)
    for stage in ("clean", "split"):
        (tmp_path / "cache" / stage).rename(tmp_path / "cache" / f"{stage}-before")
    monkeypatch.setenv("RUNNER_WORKERS", "2")
    assert outcome(load_data(**fields)) == outcome(one)


def test_every_row_is_accounted_for(put, load_data):
    written(put, "t.jsonl", [("A  b", "x"), ("a b", "y"), ("a", "x"), ("", "x"), ("c d e", "y")])
    put("v.csv", "text,label\nq r s,x\n")
    loaded = load_data(train="t.jsonl", validation="v.csv", clean=CLEAN, empty_text="drop")
    train = [facts for facts in loaded.account if facts["split"] == "train"]
    assert [(facts["step"], facts["rows"], facts["kept"]) for facts in train] == [
        ("read", 5, 4), ("normalise_space", 4, 4), ("lowercase", 4, 4), ("length", 4, 3), ("exact_duplicates", 3, 2),
        ("near_duplicates", 2, 2), ("leakage against validation", 2, 2),
    ]  # fmt: skip
    gone = {(each.line, each.step, each.reason) for each in loaded.dropped()}
    assert (4, "read", "`text` is empty") in gone
    assert (3, "length", "shorter than 2 words") in gone
    (twin,) = (each for each in loaded.dropped() if each.step == "exact_duplicates")
    assert twin.twin in loaded.splits["train"]["id"].to_pylist()
    assert loaded.rows["train"] == 2


def test_a_cleaner_that_empties_a_split_is_named(put, load_data):
    written(put, "t.jsonl", [("a b", "x"), ("c d", "y")])
    put("v.csv", "text,label\nq r s t,x\nu v w z,y\n")
    short = {"type": "length", "unit": "words"}
    clean = [{**short, "min": 1}, {**short, "min": 2, "files": ["validation"]}, {**short, "min": 4}]
    with pytest.raises(DataFaults) as caught:
        load_data(train="t.jsonl", validation="v.csv", clean=clean)
    (fault,) = caught.value.faults
    assert fault.where == ("clean", 2)
    assert fault.message == ("`train` would be empty: `length` drops all 2 rows of `t.jsonl`: 2 shorter than 4 words")


def test_a_missing_package_hides_no_other_fault(put, load_data, monkeypatch):
    put("t.csv", "text,label\n<p>a b</p>,x\n")
    put("v.csv", "txt,label\nc d,x\n")
    monkeypatch.setattr(packages, "installed", lambda name: None)
    with pytest.raises(DataFaults) as caught:
        load_data(train="t.csv", validation="v.csv", clean=[{"type": "strip_html"}])
    assert [fault.where for fault in caught.value.faults] == [("validation",), ("clean", 0)]
    assert caught.value.faults[1].message == "`strip_html` needs the package `resiliparse`, which is not installed"
    assert "pip install 'runner[clean]'" in caught.value.faults[1].hint


def test_only_the_named_columns_and_files_are_cleaned(put, load_data):
    put("t.csv", "a,b,label\nX,Y,1\n")
    put("v.csv", "a,b,label\nP,Q,1\n")
    clean = [{"type": "lowercase", "columns": ["b"], "files": ["train"]}]
    loaded = load_data(train="t.csv", validation="v.csv", inputs=("a", "b"), clean=clean)
    assert [loaded.splits["train"][name].to_pylist() for name in "ab"] == [["X"], ["y"]]
    assert loaded.splits["validation"]["b"].to_pylist() == ["Q"]


def test_ids_are_those_of_the_texts_before_cleaning(put, load_data):
    put("t.csv", "text,label\nHello There,1\n")
    put("v.csv", "text,label\nsomething,1\n")
    fields = {"train": "t.csv", "validation": "v.csv"}
    plain = load_data(**fields).splits["train"]["id"].to_pylist()
    assert load_data(**fields, clean=[{"type": "lowercase"}]).splits["train"]["id"].to_pylist() == plain


def test_an_edit_cleans_only_its_file_again(put, load_data, cache):
    written(put, "t.jsonl", [(f"text number {i}", "x") for i in range(50)])
    written(put, "v.jsonl", [(f"other words {i}", "x") for i in range(9)])
    fields = {"train": "t.jsonl", "validation": "v.jsonl", "clean": [{"type": "lowercase"}]}
    before = load_data(**fields)
    written(put, "t.jsonl", [(f"text number {i}", "x") for i in range(51)])
    after = load_data(**fields)
    assert len(list((cache.folder / "clean").glob("[!.]*"))) == 3
    assert before.keys["validation"] == after.keys["validation"]
    assert before.keys["train"] != after.keys["train"]


def test_a_truncated_entry_is_made_again(put, load_data):
    written(put, "t.jsonl", [(f"{i * 7919} is {i * 104729}", "x") for i in range(50)])
    fields = {"train": "t.jsonl", "validation": {"fraction": 0.2}, "clean": [{"type": "lowercase"}]}
    before = load_data(**fields)
    place = before.stages[0].entry / "rows.arrow"
    kept = before.splits["train"].to_pylist()
    place.write_bytes(place.read_bytes()[:100])
    for stale in before.stages[1].entry.glob("*.arrow"):
        stale.unlink()
    assert load_data(**fields).splits["train"].to_pylist() == kept


def test_a_failed_build_leaves_nothing(put, load_data, cache, monkeypatch):
    from runner.parts.cleaners.lowercase import Lowercase

    written(put, "t.jsonl", [(f"{i * 7919} is {i * 104729}", "x") for i in range(50)])
    fields = {"train": "t.jsonl", "validation": {"fraction": 0.2}, "clean": [{"type": "lowercase"}]}

    def fails(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lowercase, "clean", fails)
        with pytest.raises(KeyboardInterrupt):
            load_data(**fields)
    assert [path for path in (cache.folder / "clean").iterdir() if path.name != ".locks"] == []
    assert load_data(**fields).rows["train"] > 0


def test_nul_bytes_and_a_long_row(put, load_data):
    written(put, "t.jsonl", [("a\x00b", "x"), ("long " * 300_000, "y")])
    put("v.csv", "text,label\nq,x\nr,y\n")
    loaded = load_data(train="t.jsonl", validation="v.csv", clean=CLEAN[:2] + CLEAN[3:])
    assert loaded.rows["train"] == 2
    assert max(map(len, loaded.splits["train"]["text"].to_pylist())) > 1_000_000


@pytest.mark.parametrize("mode", ["drop", "warn", "error"])
def test_leakage(put, load_data, mode):
    written(put, "t.jsonl", [("The same text twice!", "x"), ("the same text, twice", "x"), ("quite another text", "y")])
    written(put, "v.jsonl", [("a validation text of its own", "x"), ("an entirely different one", "y")])
    written(put, "e.jsonl", [("the same text twice", "x"), ("an entirely different one", "y")])
    fields = {"train": "t.jsonl", "validation": "v.jsonl", "test": "e.jsonl", "leakage": mode}
    if mode == "error":
        with pytest.raises(DataFaults, match=r"of 3 rows of `train` these leak: 2 also in test"):
            load_data(**fields)
        return
    loaded = load_data(**fields)
    assert loaded.rows == ({"train": 1, "validation": 1, "test": 2} if mode == "drop" else {"train": 3, "validation": 2, "test": 2})  # fmt: skip
    found = {(each.split, each.step, each.reason, each.flagged) for each in loaded.dropped()}
    assert found == {(split, "leakage", "also in test", mode == "warn") for split in ("train", "validation")}


@pytest.mark.parametrize("mode,rows", [("drop", [(2, 1), (3, 1), (2, 1)]), ("warn", [(2, 1), (3, 1), (3, 2)])])
def test_a_row_that_leaks_is_dropped_once(put, load_data, mode, rows):
    both, one = "this text stands in all three files", "this other one stands only in two of them"
    written(put, "t.jsonl", [(both, "x"), (one, "x"), ("nobody else has this", "y")])
    written(put, "v.jsonl", [(both, "x"), (one, "y")])
    written(put, "e.jsonl", [(both, "x"), ("and that", "y")])
    loaded = load_data(train="t.jsonl", validation="v.jsonl", test="e.jsonl", leakage=mode)
    tallies = [facts for facts in loaded.account if facts["step"].startswith("leakage")]
    assert [facts["split"] for facts in tallies] == ["validation", "train", "train"]
    assert [(facts["rows"], sum({**facts["dropped"], **facts["flagged"]}.values())) for facts in tallies] == rows
    assert loaded.rows["train"] == (1 if mode == "drop" else 3)


def test_pairs_that_share_a_long_premise_do_not_leak(put, load_data):
    premise = "The patient was admitted with chest pain radiating to the left arm since two days." * 2
    swapped = "A dog sleeps on the old red sofa.", "A dog sleeps on the sofa."
    splits = {
        "t": [(premise, "he is healthy"), (premise.upper(), "She slept (well)"), swapped, ("a third one", "and more")],
        "v": [(premise, "she slept well")],
        "e": [swapped[::-1]],
    }
    for name, pairs in splits.items():
        put(f"{name}.jsonl", "".join(json.dumps({"p": p, "h": h, "label": "x"}) + "\n" for p, h in pairs))
    loaded = load_data(train="t.jsonl", validation="v.jsonl", test="e.jsonl", inputs=("p", "h"))
    assert [(each.line, each.reason) for each in loaded.dropped()] == [(2, "also in validation")]


def test_the_account_tells_inputs_in_the_order_of_the_spec(put, load_data):
    put("t.csv", "p,h,label\nred,blue,x\nred,blue,y\nfar,away,x\n")
    put("v.csv", "p,h,label\nq,r,x\n")
    for order in (("p", "h"), ("h", "p")):
        fields = {"validation": "v.csv", "clean": [{"type": "exact_duplicates"}], "inputs": order}
        (gone,) = load_data(train="t.csv", **fields).dropped()
        assert gone.text == "\n".join({"p": "red", "h": "blue"}[name] for name in order)


def test_a_split_that_leaks_whole_is_an_error(put, load_data):
    written(put, "t.jsonl", [("the same text", "x")])
    with pytest.raises(DataFaults, match="`train` would be empty"):
        load_data(train="t.jsonl", validation="t.jsonl")


def test_random_is_left_alone(put, load_data):
    random.seed(1)
    expected = random.Random(1).random()
    written(put, "t.jsonl", [(f"some words {i} and more", "xy"[i % 2]) for i in range(40)])
    load_data(train="t.jsonl", validation={"fraction": 0.2}, augment=[{"type": "swap_words"}])
    assert random.random() == expected
