"""How many examples a difference needs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.evaluate.power import needed


def test_the_textbook_case() -> None:
    half = 1.959964 / math.sqrt(100)  # of a mean of 100 values with a standard deviation of 1
    assert needed(100, -half, half, 0.5) == 32  # (1.96 + 0.8416)² / 0.5²
    assert needed(100, -half, half, -0.5) == 32


def test_so_many_examples_do_find_it_four_times_in_five() -> None:
    rng, sd, wished = np.random.default_rng(3), 2.0, 0.6
    half = 1.959964 * sd / math.sqrt(50)
    n = needed(50, wished - half, wished + half, wished)
    assert n is not None
    means = rng.normal(wished, sd, (20_000, n)).mean(1)
    assert np.mean(np.abs(means) > 1.959964 * sd / math.sqrt(n)) == pytest.approx(0.8, abs=0.02)


@given(wished=st.floats(0.01, 1), times=st.integers(2, 5))
def test_half_the_difference_needs_four_times_as_many(wished: float, times: int) -> None:
    one, other = needed(1000, -0.1, 0.1, wished), needed(1000, -0.1, 0.1, wished / times)
    assert one is not None and other is not None
    assert (one - 1) * times**2 <= other <= one * times**2


@pytest.mark.parametrize(
    ("low", "high", "wished"), [(0, 0, 0.1), (-0.1, 0.1, 0), (math.nan, 1, 1), (0, math.inf, 1), (0, 1, math.nan)]
)
def test_where_nothing_is_known_nothing_is_said(low: float, high: float, wished: float) -> None:
    assert needed(10, low, high, wished) is None
