"""Laws of splitting: disjoint, covering, stable when rows are added, groups and repeats together."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.data.identify import contents, keys, numbered, repeats
from runner.data.split import split
from runner.spec.tables import Data

fractions = st.floats(0.05, 0.45)
examples = st.lists(st.tuples(st.text("abcd", max_size=3), st.sampled_from("xyz"), st.sampled_from("gh")), max_size=60)
laws = settings(deadline=None, max_examples=60)


def prepared(rows) -> pa.Table:
    names = {"text": 0, "label": 1, "group": 2}
    table = pa.table(
        {name: pa.array([row[i] for row in rows], pa.string()) for name, i in names.items()}
        | {"_line": pa.array(range(2, len(rows) + 2), pa.int64())}
    )
    content = contents(table, ["text"])
    same, ids = numbered(content, repeats(content))
    return table.add_column(0, "id", ids).add_column(1, "_content", same)


def parts(rows, faults=None, **rules) -> dict[str, list[tuple]]:
    """Split rows of (text, label, group) that stand in train."""
    found = [] if faults is None else faults
    file = prepared(rows)
    data = Data.model_validate({"train": "t.csv", **rules})
    done = split(data, {"train": file}, found)
    assert faults is not None or not found
    return {name: [rows[i] for i in part.index] for name, part in done.items()}


def both(one: float, other: float, **more) -> dict:
    return {"validation": {"fraction": one, **more}, "test": {"fraction": other, **more}}


@given(examples, fractions, fractions, st.sampled_from([{}, {"stratify": "label"}, {"group": "group"}]))
@laws
def test_splits_are_disjoint_and_cover(rows, one, other, more):
    done = parts([(*row, i) for i, row in enumerate(rows)], **both(one, other, **more))
    together = [row for part in done.values() for row in part]
    assert sorted(row[3] for row in together) == list(range(len(rows)))


@given(examples, examples, fractions, fractions)
@laws
def test_adding_rows_moves_no_other_row(rows, added, one, other):
    rules = both(one, other)
    before = {row[0]: name for name, part in parts(rows, **rules).items() for row in part}
    after = {row[0]: name for name, part in parts(added + rows, **rules).items() for row in part}
    assert before.items() <= after.items()


@given(examples, fractions, st.sampled_from([{}, {"stratify": "label"}]))
@laws
def test_repeats_stay_together(rows, fraction, more):
    homes = defaultdict(set)
    for name, part in parts(rows, validation={"fraction": fraction, **more}).items():
        for row in part:
            homes[row[0]].add(name)
    assert all(len(home) == 1 for home in homes.values())


@given(st.lists(st.tuples(st.text("abc"), st.just("x"), st.text("ghij", max_size=2))), fractions, fractions)
@laws
def test_groups_never_straddle(rows, one, other):
    homes = defaultdict(set)
    for name, part in parts(rows, **both(one, other, group="group")).items():
        for row in part:
            homes[row[2]].add(name)
    assert all(len(home) == 1 for home in homes.values())


@given(st.dictionaries(st.text("abcdef", max_size=4), st.sampled_from("vwxyz"), max_size=40), fractions, fractions)
@laws
def test_each_class_is_on_both_sides_where_it_can_be(labels, one, other):
    rows = [(text, label, "") for text, label in labels.items()]
    counts = Counter(labels.values())
    done = parts(rows, **both(one, other, stratify="label"))
    for label, count in counts.items():
        homes = [name for name, part in done.items() if any(row[1] == label for row in part)]
        if count >= 2:
            assert "train" in homes
        assert len(homes) == min(count, 3) or count < 3
        if count == 2:
            assert len(homes) == 2
    alone = parts(rows, validation={"fraction": one, "stratify": "label"})
    for label, count in counts.items():
        assert count < 2 or all(any(row[1] == label for row in part) for part in alone.values())


def test_shares_are_as_asked():
    rows = [(str(i), "xy"[i % 10 == 0], "") for i in range(10_000)]
    done = parts(rows, **both(0.1, 0.2, stratify="label"))
    assert {name: len(part) for name, part in done.items()} == {"train": 7036, "validation": 1010, "test": 1954}


def test_u_is_the_hash_of_the_content():
    rows = [(str(i), "x", "") for i in range(100)]
    file = prepared(rows)
    u = keys(file["_content"], b"split:") / 2**64
    expected = [row for row, place in zip(rows, u, strict=True) if place < 0.3]
    assert parts(rows, validation={"fraction": 0.3})["validation"] == expected


def test_by_column_and_by_fraction_of_what_is_left():
    rows = [(str(i), "x", str(i % 5)) for i in range(200)]
    rules = {"validation": {"fraction": 0.5}, "test": {"column": "group", "values": ["1", "2"]}}
    done = parts(rows, **rules)
    assert done["test"] == [row for row in rows if row[2] in "12"]
    assert len(done["train"]) + len(done["validation"]) == 120
    assert 40 < len(done["validation"]) < 80


def test_test_from_validation():
    rows = [(str(i), "x", "") for i in range(1000)]
    done = parts(rows, validation={"fraction": 0.4}, test={"from": "validation", "fraction": 0.5})
    assert {name: len(part) for name, part in done.items()} == {"train": 595, "validation": 219, "test": 186}


@pytest.mark.parametrize(
    ("rules", "where", "message", "hint"),
    [
        (both(0.5, 0.5), ("test", "fraction"), "taken from `train` sum to 1", "must remain"),
        (
            {"validation": {"fraction": 0.1}, "test": {"fraction": 0.1, "group": "group"}},
            ("test",),
            "keep different groups together",
            "the same `group`",
        ),
        (
            {"validation": {"column": "group", "values": ["g", "q"]}},
            ("validation", "values"),
            "`group` never is `q`",
            "it is one of `g`, `h`",
        ),
        (
            {"validation": {"fraction": 0.1, "stratify": "lable"}},
            ("validation", "stratify"),
            "there is no column `lable`",
            "did you mean `label`?",
        ),
        (
            {
                "validation": {"column": "group", "values": ["g"]},
                "test": {"column": "group", "values": ["g"]},
            },
            ("test", "values"),
            "`g` belongs to two splits",
            "one of them",
        ),
        (
            {"validation": {"from": "test", "fraction": 0.1}},
            ("validation", "from"),
            "`validation` is taken from `test`, which has no rows",
            "a split that is a file",
        ),
        (
            {"validation": {"fraction": 0.1, "group": "group"}},
            ("validation", "group"),
            "1 row without `group`: line 4 (missing)",
            "fill",
        ),
    ],
)
def test_faults(rules, where, message, hint):
    rows = [("a", "x", "g"), ("b", "y", "h"), ("c", "x", None if rules["validation"].get("group") else "h")]
    faults = []
    parts(rows, faults, **rules)
    assert faults[0].where == where
    assert message in faults[0].message
    assert hint in faults[0].hint


@given(st.lists(st.integers(0, 5)))
def test_repeats_counts_earlier_equals(values):
    assert repeats(np.array(values, np.uint64)).tolist() == [values[:i].count(v) for i, v in enumerate(values)]
