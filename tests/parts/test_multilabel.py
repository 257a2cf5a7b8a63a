"""Several labels: what is a target, and where yes begins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.answers.sets import Sets


def task(**fields):
    table = {"type": "multilabel", "data": ["comments"], **fields}
    return kinds.pick("tasks", "multilabel").model_validate(table)


@pytest.mark.parametrize(
    "value,expected",
    [('["a", "b"]', ["a", "b"]), ("[]", []), ("joy", ["joy"]), ('["a", "a"]', ["a"]), ("[3, 1]", ["3", "1"])],
)
def test_a_target_is_a_list_of_labels_or_one_label(value, expected):
    assert task().units(value, ("a text",)) == expected


@pytest.mark.parametrize("value", ['[{"a": 1}]', "[null]", "[true]", "[1.5]"])
def test_other_things_are_no_labels(value):
    with pytest.raises(ValueError, match="is no label: write a list of texts"):
        task().units(value, ("a text",))


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
@settings(max_examples=40, deadline=None, database=None)
def test_no_threshold_has_a_better_micro_f1_than_the_tuned_one(seed, size):
    rng = np.random.default_rng(seed)
    gold, chances = rng.random((size, 3)) < 0.4, np.round(rng.random((size, 3)), 1)
    answers = Sets("t", "validation", tuple("abc"), (), gold, chances >= 0.5, chances)
    tuned = task().tuned(answers)
    assert bool(tuned) == bool(gold.any())

    def micro(threshold):
        return kinds.pick("metrics", "micro_f1")().score(answers.above(threshold))[""]

    if tuned:
        best = micro(tuned["threshold"])
        assert all(micro(threshold) <= best + 1e-12 for threshold in np.arange(0, 1.05, 0.05))


def test_what_only_begins_like_a_list_is_told_as_such():
    with pytest.raises(ValueError, match="begins like a list, but is none"):
        task().units("[spam]", ("a text",))


def test_a_written_threshold_is_not_tuned():
    answers = Sets("t", "validation", ("a",), (), np.ones((2, 1), bool), np.ones((2, 1), bool), np.full((2, 1), 0.3))
    assert task(threshold=0.2).tuned(answers) == {}
