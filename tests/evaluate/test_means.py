"""Means of judgements: numpy's, with an interval that holds them; nothing is made up where nothing is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.answers.texts import Texts
from runner.evaluate.means import mean

GIVEN = Texts("tale", "test", (), (), (), ())


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_the_mean_and_its_interval(values: list[float]) -> None:
    found = mean(GIVEN, "proxy_x", values, 0.95, 200, 13)
    assert found.value == pytest.approx(np.mean(values)) and found.n == len(values)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert found == mean(GIVEN, "proxy_x", values, 0.95, 200, 13)


def test_what_is_not_known_does_not_count() -> None:
    assert mean(GIVEN, "x", [None, 1.0, math.nan, 3.0], 0.95, 100, 1).value == 2.0
    one = mean(GIVEN, "x", [None, 1.0], 0.95, 100, 1)
    assert (one.value, one.n) == (1.0, 1) and math.isnan(one.low)
    none = mean(GIVEN, "x", [None], 0.95, 100, 1)
    assert none.n == 0 and math.isnan(none.value)
