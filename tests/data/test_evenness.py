"""Entropy, evenness, HD-D and Cramér's V: values by hand, by definition, and their bounds."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.data.evenness import cramers_v, entropy, evenness, hdd

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


def test_cramers_v_of_one_table_by_hand():
    # phi2 = 1, less 2 * 1 / 3; the corrected 3 rows and 2 columns both come to 5 / 3
    assert cramers_v([{"x": 2}, {"x": 1}, {"y": 1}]) == pytest.approx((1 / 3 / (2 / 3)) ** 0.5)
    assert cramers_v([{"x": 500}, {"y": 500}]) == pytest.approx(1.0)
    assert cramers_v([{"x": 50, "y": 50}, {"x": 50, "y": 50}]) == 0.0


def test_cramers_v_needs_two_groups_and_two_classes():
    assert cramers_v([{"x": 5, "y": 3}]) is None
    assert cramers_v([{"x": 5}, {"x": 3}]) is None
    assert cramers_v([{"x": 1}, {"y": 1}]) is None  # so few rows say nothing


@given(st.lists(st.dictionaries(st.sampled_from("xyz"), st.integers(1, 9), min_size=1), min_size=1, max_size=4))
def test_cramers_v_lies_between_0_and_1(table):
    found = cramers_v(table)
    assert found is None or 0 <= found <= 1
