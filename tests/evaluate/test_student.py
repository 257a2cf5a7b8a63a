"""Means over seeds against scipy and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runner.evaluate.student import cohen, mean, welch

SCORES = st.lists(st.floats(-1, 1, width=16), min_size=2, max_size=9).filter(lambda each: np.std(each) > 1e-3)


def test_three_seeds_by_hand():
    found = mean([1.0, 2.0, 3.0])
    half = 4.302652729749 / math.sqrt(3)  # the 0.975 quantile of two degrees of freedom
    assert (found.value, found.n) == (2.0, 3)
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half))


@given(SCORES, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_and_p_are_those_of_scipy(values, confidence):
    found = mean(values, confidence)
    wanted = stats.ttest_1samp(values, 0)
    ends = wanted.confidence_interval(confidence)
    assert (found.low, found.high, found.p) == pytest.approx((ends.low, ends.high, wanted.pvalue), rel=1e-6, abs=1e-9)


@given(SCORES, SCORES)
def test_without_pairs_it_is_the_test_of_welch(first, second):
    found, wanted = welch(first, second), stats.ttest_ind(second, first, equal_var=False)
    ends = wanted.confidence_interval(0.95)
    assert (found.low, found.high, found.p) == pytest.approx((ends.low, ends.high, wanted.pvalue), rel=1e-6, abs=1e-9)


@given(SCORES, SCORES)
def test_sides_change_nothing_but_the_sign(first, second):
    one, other = welch(first, second), welch(second, first)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-12)
    assert one.p == pytest.approx(other.p)
    assert cohen(first, second) == pytest.approx(-cohen(second, first))


def test_one_seed_says_nothing_of_its_luck():
    for found in (mean([0.5]), welch([0.5], [0.75, 1.0])):
        assert all(math.isnan(each) for each in (found.low, found.high, found.p))
    assert mean([0.5]).value == 0.5 and welch([0.5], [0.75, 1.0]).value == 0.375
    assert math.isnan(cohen([0.5], [0.75, 1.0])) and math.isnan(mean([]).value)


def test_equal_runs_are_no_difference_and_a_constant_one_has_no_p():
    assert (mean([0.0, 0.0]).value, mean([0.0, 0.0]).p) == (0.0, 1.0)
    assert math.isnan(mean([0.25, 0.25]).p)
    assert math.isnan(cohen([0.5, 0.5], [0.5, 0.5]))


def test_the_effect_by_hand():
    # means 2 and 4, both variances 1: two standard deviations
    assert cohen([1.0, 2.0, 3.0], [3.0, 4.0, 5.0]) == 2.0


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_equal_settings_raise_false_alarms_as_seldom_as_promised(seeds):
    rng = np.random.default_rng(seeds)
    pairs = [rng.normal(0.8, 0.02, (2, seeds)) for _ in range(2000)]
    alone = [mean((other - one).tolist()).p <= 0.05 for one, other in pairs]
    apart = [welch(one.tolist(), other.tolist()).p <= 0.05 for one, other in pairs]
    assert 0.03 <= np.mean(alone) <= 0.06
    assert np.mean(apart) <= 0.06
