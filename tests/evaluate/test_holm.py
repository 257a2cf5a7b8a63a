"""Holm's correction against a textbook and by its laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.evaluate.holm import holm

CHANCES = st.lists(st.floats(0, 1), max_size=12)


def test_the_example_of_the_textbooks():
    # four hypotheses at 0.05: the first and the last are rejected, 0.03 * 2 is not, nor what follows it
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_the_example_of_r():
    # p.adjust(c(0.0001, 0.004, 0.019, 0.095, 0.201), "holm")
    assert holm([0.0001, 0.004, 0.019, 0.095, 0.201]) == pytest.approx([0.0005, 0.016, 0.057, 0.19, 0.201])


def test_one_test_needs_no_correction():
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@given(CHANCES)
def test_corrected_values_keep_their_order_and_are_never_smaller(chances):
    found = holm(chances)
    assert all(before <= after <= 1 for before, after in zip(chances, found, strict=True))
    ranked = sorted(zip(chances, found, strict=True))
    assert [after for _, after in ranked] == sorted(found)


@given(CHANCES, st.randoms())
def test_the_order_of_tests_does_not_matter(chances, random):
    places = list(range(len(chances)))
    random.shuffle(places)
    found = holm(chances)
    assert holm([chances[place] for place in places]) == [found[place] for place in places]


def test_of_many_tests_without_any_difference_one_alarm_is_as_seldom_as_promised():
    rng = np.random.default_rng(8)
    alarms = [min(holm(rng.random(6).tolist())) <= 0.05 for _ in range(2000)]
    assert 0.03 <= np.mean(alarms) <= 0.06
