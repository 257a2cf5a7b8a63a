"""Groups: each is scored as if it stood alone, and texts fall into ranges of words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.evaluate.groups import bucket, buckets, by_group
from runner.evaluate.measure import measure
from tests.parts.answers import answered, made

FEW = made([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], "ab")

law = settings(max_examples=25, deadline=None, database=None)


def test_each_group_by_hand() -> None:
    found = list(by_group(FEW, ["x", "y", "x", "y", "y"], ["accuracy", "class_f1"], smallest=3, resamples=100))
    assert [(each.group_name, each.metric, each.position, each.value, each.n, each.enough) for each in found] == [
        ("x", "accuracy", 0, 1.0, 2, False),
        ("y", "accuracy", 0, pytest.approx(1 / 3), 3, True),
    ]


@law
@given(answered(), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_a_group_is_scored_as_if_it_stood_alone(answers, count, seed) -> None:
    names = [f"g{each}" for each in np.random.default_rng(seed).integers(count, size=len(answers))]
    found = list(by_group(answers, names, ["macro_f1", "accuracy"], 1, resamples=20, seed=3))
    assert [each.group_name for each in found] == [name for name in sorted(set(names)) for _ in range(2)]
    for each in found:
        rows = np.array([at for at, name in enumerate(names) if name == each.group_name])
        (alone,) = measure(answers.take(rows), [each.metric], resamples=20, seed=3)
        assert (each.value, each.low, each.high, each.n) == (alone.value, alone.low, alone.high, len(rows))


@law
@given(answered(), st.integers(0, 2**32 - 1))
def test_accuracy_is_the_mean_of_the_groups_weighed_by_their_sizes(answers, seed) -> None:
    names = [str(each) for each in np.random.default_rng(seed).integers(3, size=len(answers))]
    found = list(by_group(answers, names, ["accuracy"], 1, resamples=2))
    (whole,) = measure(answers, ["accuracy"], resamples=2)
    assert math.isclose(sum(each.value * each.n for each in found) / len(answers), whole.value)


def test_one_group_of_all_has_the_score_of_all() -> None:
    (found,) = by_group(FEW, ["all"] * 5, ["accuracy"], 1, resamples=50, seed=1)
    (whole,) = measure(FEW, ["accuracy"], resamples=50, seed=1)
    assert (found.value, found.low, found.high) == (whole.value, whole.low, whole.high)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (0, "000 to 008"),
        (8, "000 to 008"),
        (9, "009 to 016"),
        (16, "009 to 016"),
        (17, "017 to 032"),
        (600, "513 to 1024"),
    ],
)
def test_the_range_of_a_number_of_words(words: int, expected: str) -> None:
    assert bucket(words) == expected


@given(st.integers(0, 100_000))
def test_every_number_lies_in_its_range(words: int) -> None:
    low, high = map(int, bucket(words).split(" to "))
    assert low <= words <= high


def test_words_are_parted_by_blanks() -> None:
    assert buckets(["", "one two", " ".join("a" * 9)]) == ["000 to 008", "000 to 008", "009 to 016"]
