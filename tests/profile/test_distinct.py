"""Counting different values: exact while they are few, a sample that no order changes when they are many."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runner.profile.distinct import Distinct

hashes = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9).map(lambda few: few << 60), max_size=60)


def counted(values: list[int], sizes: list[int], limit: int) -> Distinct:
    """The values given in portions of these sizes, the last with all that remain."""
    distinct = Distinct(limit)
    start = 0
    for size in [*sizes, len(values)]:
        distinct.add(np.array(values[start : start + size], np.uint64))
        start += size
    return distinct


@given(hashes, st.lists(st.integers(0, 9), max_size=9))
def test_few_values_are_counted_exactly(values, sizes):
    distinct = counted(values, sizes, 60)
    assert (distinct.count, distinct.sampled, distinct.total) == (len(set(values)), False, len(values))
    assert dict(zip(distinct.values.tolist(), distinct.counts.tolist(), strict=True)) == Counter(values)


@given(hashes, st.lists(st.integers(0, 9), max_size=9), st.randoms(use_true_random=False))
def test_neither_order_nor_portions_change_a_sample_and_its_counts_are_exact(values, sizes, rng):
    one, other = counted(values, [], 4), counted(rng.sample(values, len(values)), sizes, 4)
    assert one.count == other.count and one.halvings == other.halvings
    assert np.array_equal(one.values, other.values) and np.array_equal(one.counts, other.counts)
    assert len(one.values) <= 4
    assert all(
        Counter(values)[value] == count for value, count in zip(one.values.tolist(), one.counts.tolist(), strict=True)
    )


def test_a_sample_of_4096_estimates_200_000_within_five_per_cent():
    distinct = Distinct(4096)
    for seed in range(2):  # the same values twice
        distinct.add(np.random.default_rng(5).integers(0, 2**64, 200_000, np.uint64, endpoint=False)[:: 1 - 2 * seed])
    assert distinct.sampled and abs(distinct.count - 200_000) < 10_000
    assert set(distinct.counts.tolist()) == {2} and distinct.total == 400_000
