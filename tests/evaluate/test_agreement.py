"""Agreement beyond chance."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.evaluate.agreement import agreement

# The data of Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, part C.
OBSERVERS = {
    "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
}
UNITS = [
    {name: float(value) for name, said in OBSERVERS.items() if (value := said[at]) is not None} for at in range(12)
]


def test_the_published_example() -> None:
    assert agreement(UNITS, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert agreement(UNITS, "ordinal") == pytest.approx(0.815, abs=5e-4)
    assert agreement(UNITS, "interval") == pytest.approx(0.849, abs=5e-4)


def test_without_shared_or_different_judgements_it_is_undefined() -> None:
    assert math.isnan(agreement([], "nominal"))
    assert math.isnan(agreement([{"a": 1.0}, {"b": 2.0}], "nominal"))
    assert math.isnan(agreement([{"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 1.0}], "nominal"))


@settings(deadline=None)
@given(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=2, max_size=8).filter(lambda said: len(set(said)) > 1))
def test_who_always_agree_have_one_and_a_third_who_judged_alone_changes_nothing(said: list[float]) -> None:
    things = [{"a": each, "b": each} for each in said]
    assert agreement(things, "nominal") == pytest.approx(1)
    assert agreement([*things, {"c": 9.0}], "nominal") == pytest.approx(1)
