"""BCa intervals: scipy's on the same samples, and the percentile interval where no correction is defined."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runner.evaluate.bca import acceleration, bca, shifted
from runner.evaluate.draws import BLOCKS, clustered, draw, draw_clusters, leave_out
from runner.evaluate.measure import interval, measure
from tests.parts.answers import made

law = settings(max_examples=40, deadline=None, database=None)


def by_scipy(values, drawn, confidence):
    """The BCa interval of a mean over the same samples."""
    from scipy.stats import bootstrap

    before = SimpleNamespace(bootstrap_distribution=drawn)
    found = bootstrap((values,), np.mean, n_resamples=0, bootstrap_result=before, confidence_level=confidence)
    return found.confidence_interval


@law
@given(st.integers(5, 60), st.integers(0, 2**32 - 1), st.sampled_from([0.8, 0.95]))
def test_the_interval_of_a_mean_is_that_of_scipy(count, seed, confidence):
    rng = np.random.default_rng(seed)
    values = rng.exponential(size=count)
    drawn = values[rng.integers(count, size=(400, count))].mean(1)
    left_out = (values.sum() - values) / (count - 1)
    assert bca(drawn, values.mean(), left_out, confidence) == pytest.approx(by_scipy(values, drawn, confidence))


@law
@given(st.lists(st.booleans(), min_size=5, max_size=60), st.integers(0, 1000))
def test_the_interval_of_accuracy_is_that_of_scipy(right, seed):
    assume(0 < sum(right) < len(right))
    answers = made([0] * len(right), [int(not each) for each in right])
    values = np.array(right, np.float64)
    drawn = np.concatenate([values[chunk.rows].mean(1) for chunk in draw(answers, 200, seed)])
    (found,) = measure(answers, ["accuracy"], resamples=200, seed=seed)
    assert (found.low, found.high) == pytest.approx(by_scipy(values, drawn, 0.95))


def test_without_bias_and_skewness_it_is_the_percentile_interval():
    drawn = np.linspace(-1, 1, 1001)
    assert bca(drawn, 0.0, np.array([-1.0, 1.0]), 0.9) == pytest.approx(interval(drawn, 0.9))


@pytest.mark.parametrize("value", [-2.0, 2.0, math.nan])
def test_where_no_correction_is_defined_it_is_the_percentile_interval(value):
    drawn = np.linspace(-1, 1, 101)
    assert bca(drawn, value, np.array([0.0, 1.0, 5.0]), 0.9) == interval(drawn, 0.9)


def test_a_correction_that_would_turn_around_is_left_out():
    assert shifted(np.array([0.025, 0.975]), 0.5, 0.6) is None
    assert shifted(np.array([0.025, 0.975]), 0.5, 0.0) == pytest.approx([0.025, 0.975])


def test_what_is_not_finite_does_not_count():
    drawn, left_out = np.array([0.0, math.nan, 1.0, 2.0, math.inf]), np.array([1.0, math.nan, 3.0])
    assert bca(drawn, 1.0, left_out, 0.5) == bca(np.array([0.0, 1.0, 2.0]), 1.0, np.array([1.0, 3.0]), 0.5)
    assert all(map(math.isnan, bca(np.array([math.nan]), 1.0, left_out, 0.9)))


@pytest.mark.parametrize("left_out", [[], [0.5], [0.25] * 9])
def test_what_nothing_moves_is_not_skewed(left_out):
    assert acceleration(np.array(left_out)) == 0


@law
@given(st.integers(2, 40))
def test_each_example_is_left_out_once(count):
    rows = np.concatenate([each.rows for each in leave_out(made([0] * count, [0] * count))])
    assert rows.shape == (count, count - 1)
    assert [({*range(count)} - {*row}).pop() for row in rows.tolist()] == list(range(count))


def test_of_many_examples_as_many_are_left_out_at_once_as_make_few_samples():
    count = 3 * BLOCKS + 7
    sizes = [len(row) for each in leave_out(made([0] * count, [0] * count)) for row in each.rows]
    assert sorted(set(sizes)) == [count - 4, count - 3]
    assert len(sizes) == BLOCKS and sum(count - size for size in sizes) == count


def test_skewness_is_nearly_that_of_leaving_out_one_by_one():
    values = np.random.default_rng(3).exponential(size=4 * BLOCKS)
    one_by_one = acceleration((values.sum() - values) / (len(values) - 1))
    answers = made([0] * len(values), [0] * len(values))
    in_blocks = acceleration(np.concatenate([values[each.rows].mean(1) for each in leave_out(answers)]))
    assert in_blocks == pytest.approx(one_by_one, rel=0.5) and in_blocks > 0


# Clusters.

NAMES = ["a", "b", "a", "c", "b", "a"]
SIX = made([0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 0])


def test_a_cluster_comes_with_all_its_examples():
    units = clustered(NAMES)
    assert [each.tolist() for each in units] == [[0, 2, 5], [1, 4], [3]]
    seen = set()
    for chunk in draw_clusters(SIX, units, 200, 1):
        for row in chunk.rows.tolist():
            counts = [row.count(place) for place in range(6)]
            assert counts[0] == counts[2] == counts[5] and counts[1] == counts[4]
            assert counts[0] + counts[1] + counts[3] == 3
            seen.add(len(row))
    assert seen >= {3, 6, 9}


def test_one_cluster_is_left_out_in_turn():
    rows = [row.tolist() for each in leave_out(SIX, clustered(NAMES)) for row in each.rows]
    assert rows == [[1, 4, 3], [0, 2, 5, 3], [0, 2, 5, 1, 4]]


@law
@given(st.lists(st.booleans(), min_size=2, max_size=30), st.integers(0, 100))
def test_clusters_of_one_example_change_nothing(right, seed):
    answers = made([0] * len(right), [int(not each) for each in right])
    alone = measure(answers, ["macro_f1", "class_f1"], resamples=50, seed=seed)
    names = [str(place) for place in range(len(right))]
    each = measure(answers, ["macro_f1", "class_f1"], resamples=50, seed=seed, clusters=names)
    assert [vars(one) for one in each] == [pytest.approx(vars(one), nan_ok=True) for one in alone]


def test_examples_that_repeat_make_no_score_surer():
    rng = np.random.default_rng(2)
    right = rng.random(40) < 0.7
    few = made([0] * 40, (~right).astype(int))
    many = made([0] * 400, np.repeat(~right, 10).astype(int))
    names = [str(place) for place in np.repeat(np.arange(40), 10)]
    (one,) = measure(few, ["accuracy"], seed=1)
    (other,) = measure(many, ["accuracy"], seed=1, clusters=names)
    (naive,) = measure(many, ["accuracy"], seed=1)
    assert (other.low, other.high) == pytest.approx((one.low, one.high))
    assert naive.high - naive.low < (other.high - other.low) / 2
