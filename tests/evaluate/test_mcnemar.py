"""McNemar's exact test against hand computations and scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.evaluate.mcnemar import mcnemar


@pytest.mark.parametrize(
    "first,second,p",
    [
        (0, 0, 1.0),
        (1, 0, 1.0),  # 2 * 1/2
        (0, 5, 0.0625),  # 2 * 1/32
        (1, 7, 0.0703125),  # 2 * (1 + 8) / 256
        (2, 8, 0.109375),  # 2 * (1 + 10 + 45) / 1024
        (5, 5, 1.0),
    ],
)
def test_by_hand(first, second, p):
    assert mcnemar(first, second) == p


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_it_is_the_binomial_test_of_a_fair_coin(first, second):
    from scipy.stats import binomtest

    wanted = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(wanted, rel=1e-9)
    assert mcnemar(first, second) == mcnemar(second, first)
