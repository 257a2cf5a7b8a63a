"""What differs between two entries, in words of the spec."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cache.changes import changes, shown

NEAR = {"type": "near_duplicates", "threshold": 0.8, "columns": None}
LOWER = {"type": "lowercase", "columns": None}
DIGITS = {"type": "pattern", "pattern": "[0-9]", "replace": "#"}
LINKS = {"type": "pattern", "pattern": "http", "replace": None}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ([NEAR], [{**NEAR, "threshold": 0.7}], ["`near_duplicates.threshold` was 0.8, now 0.7"]),
        ([NEAR], [{**NEAR, "columns": ["text"]}], ['`near_duplicates.columns` was null, now ["text"]']),
        ([], [LOWER], ["`lowercase` is new"]),
        ([NEAR], [LOWER, NEAR], ["`lowercase` is new"]),
        ([LOWER, NEAR], [NEAR], ["`lowercase` is gone"]),
        ([LOWER, NEAR], [NEAR, LOWER], ["the order of `clean` changed"]),
        ([LOWER], [NEAR], ["`near_duplicates` is new", "`lowercase` is gone"]),
        ([DIGITS, LINKS], [LINKS], ["`pattern 1` is gone"]),
        ([DIGITS, LOWER, DIGITS], [LOWER, DIGITS], ["`pattern 1` is gone"]),
        ([DIGITS, LINKS], [DIGITS, {**LINKS, "replace": "@"}], ['`pattern 2.replace` was null, now "@"']),
        (
            [LOWER, NEAR],
            [{**NEAR, "threshold": 0.7}, LOWER],
            ["`near_duplicates.threshold` was 0.8, now 0.7", "the order of `clean` changed"],
        ),
    ],
)
def test_cleaners(before, now, told):
    assert changes({"clean": before, "id": None}, {"clean": now, "id": None}) == told


def test_the_share_of_an_augmentation():
    swap = {"type": "swap_words", "share": 0.3}
    assert changes({"augment": [swap]}, {"augment": [{**swap, "share": 0.5}]}) == ["`swap_words.share` was 0.3, now 0.5"]  # fmt: skip


def test_a_word_that_became_a_table():
    assert changes({"balance": "oversample"}, {"balance": {"cap": 3}}) == ['`balance` was "oversample", now {"cap": 3}']
    assert changes({"rules": {}}, {"rules": {"test": {"fraction": 0.2}}}) == ["`rules.test.fraction` is new: 0.2"]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("split", "the rows that go in differ"),
        ("rows", "the rows that go in differ"),
        ("content", "the contents of the file differ"),
        ("tokenizer", "the contents of the tokenizer differ"),
        ("model", "the contents of `model` differ"),
    ],
)
def test_a_hash_is_named_by_what_it_stands_for(field, told):
    assert changes({field: "a" * 64}, {field: "f" * 64}) == [told]


def test_the_files_of_a_split():
    before, now = {"train": "a" * 64, "test": "b" * 64}, {"train": "c" * 64, "validation": "d" * 64}
    assert changes({"files": before}, {"files": now}) == [
        "the rows of `train` that go in differ",
        "the rows of `test` that go in are left out",
        "the rows of `validation` that go in are new",
    ]


def test_the_name_of_a_file_is_no_reason():
    before = {"file": "a.csv", "content": "a" * 64, "format": {"type": "csv"}}
    assert changes(before, {**before, "file": "b.csv", "format": {"type": "tsv"}}) == ['`format.type` was "csv", now "tsv"']  # fmt: skip


def test_a_difference_inside_a_long_value_is_not_cut_away():
    long = "x" * 200
    assert changes({"pattern": f"{long}a{long}"}, {"pattern": f"{long}b{long}"}) == ["`pattern` differs"]
    assert shown([NEAR, LOWER]) == "near_duplicates(threshold=0.8), lowercase()"


parts = st.lists(st.sampled_from([NEAR, {**NEAR, "threshold": 0.7}, LOWER, DIGITS, LINKS]), max_size=5)


@given(parts, parts)
def test_something_is_told_exactly_where_lists_differ(before, now):
    assert bool(changes({"clean": before}, {"clean": now})) == (before != now)
    assert len(set(told := changes({"clean": before}, {"clean": now}))) == len(told)
