"""Entropy, evenness, HD-D and Cramér's V: values by hand, by definition, and their bounds."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.profile.evenness import cramers_v, entropy, evenness, hdd

counts = st.lists(st.integers(1, 60), min_size=1, max_size=30)


def test_entropy_in_bits():
    assert [entropy(each) for each in ([7], [1, 1], [2, 1, 1], [0, 5, 5])] == [0.0, 1.0, 1.5, 1.0]
    assert entropy([3, 1]) == pytest.approx(0.811278, abs=1e-6)


def test_evenness_is_entropy_over_that_of_equal_classes():
    assert [evenness([5, 5], 2), evenness([5, 5], 4), evenness([9], 4), evenness([9], 1)] == [1.0, 0.5, 0.0, 0.0]


@given(counts, st.integers(0, 9))
def test_evenness_lies_between_0_and_1_and_no_order_changes_it(found, more):
    assert 0 <= evenness(found, len(found) + more) <= 1
    assert evenness(found, len(found)) == evenness(found[::-1], len(found))


def test_hdd_of_different_words_is_1_and_of_few_words_unknown():
    assert hdd(np.ones(42, np.int64)) == pytest.approx(1.0)
    assert hdd(np.array([1000])) == pytest.approx(1 / 42)
    assert hdd(np.array([41])) is None


@given(counts.filter(lambda found: sum(found) >= 42))
def test_hdd_is_its_definition(found):
    total = sum(found)
    wanted = sum(1 - comb(total - each, 42) / comb(total, 42) for each in found) / 42
    assert hdd(np.array(found)) == pytest.approx(wanted)
    assert 0 < wanted <= 1


def v(first: str, second: str) -> float | None:
    """Cramér's V of two columns of digits."""
    return cramers_v(*(np.array(list(map(int, each))) for each in (first, second)))


def test_cramers_v_of_one_table_by_hand():
    # phi2 = 1, less 2 * 1 / 3; the corrected 3 rows and 2 columns both come to 5 / 3
    assert v("0012", "0001") == pytest.approx((1 / 3 / (2 / 3)) ** 0.5)
    assert v("5" * 500 + "2" * 500, "0" * 500 + "1" * 500) == pytest.approx(1.0)
    assert v("0101" * 50, "0011" * 50) == 0.0
    # 30 and 10 against 10 and 30: phi2 = 0.25, less 1 / 79; the corrected size of both is 2 - 1 / 79
    assert v("0" * 40 + "1" * 40, "0" * 30 + "1" * 10 + "1" * 30 + "0" * 10) == pytest.approx(((0.25 - 1 / 79) / (1 - 1 / 79)) ** 0.5)  # fmt: skip


def test_cramers_v_needs_two_groups_and_two_classes():
    assert v("00000000", "00010101") is None
    assert v("00010101", "00000000") is None
    assert v("01", "01") is None  # so few rows say nothing


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_cramers_v_lies_between_0_and_1_whatever_the_order_and_names(rows, rng):
    found = cramers_v(*np.array(rows).T)
    assert found is None or 0 <= found <= 1
    shuffled = np.array(rng.sample(rows, len(rows))).T
    assert cramers_v(4 - shuffled[0], 3 - shuffled[1]) == found
