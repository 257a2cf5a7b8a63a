"""How often one side is preferred, and how strong sides are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.evaluate import wins as of
from runner.evaluate.wins import Wins, strengths

counts = st.integers(0, 40)


def wins(better: int, worse: int, ties: int) -> Wins:
    """So many things with a single judgement."""
    return of.wins([[1.0]] * better + [[0.0]] * worse + [[0.5]] * ties)


@settings(deadline=None)
@given(better=counts, worse=counts)
def test_without_ties_it_is_the_score_interval_of_scipy(better: int, worse: int) -> None:
    from scipy.stats import binomtest

    found = wins(better, worse, 0)
    if not better + worse:
        assert math.isnan(found.rate) and math.isnan(found.low)
        return
    known = binomtest(better, better + worse).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-9)


@settings(deadline=None)
@given(better=counts, worse=counts, ties=st.integers(1, 20))
def test_the_other_side_sees_the_same_mirrored(better: int, worse: int, ties: int) -> None:
    one, other = wins(better, worse, ties), wins(worse, better, ties)
    assert one.rate == pytest.approx(1 - other.rate)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))
    assert one.low <= one.rate <= one.high
    assert one.n == better + worse + ties


def test_two_sides_have_the_odds_of_their_wins() -> None:
    found = strengths({("a", "b"): wins(30, 10, 0)}, prior=0)
    assert found["a"] - found["b"] == pytest.approx(math.log(3), abs=1e-6)
    assert sum(found.values()) == pytest.approx(0)


def test_a_tie_is_half_a_win_of_each() -> None:
    one = strengths({("a", "b"): wins(3, 1, 4)}, prior=0)
    other = strengths({("a", "b"): wins(5, 3, 0)}, prior=0)
    assert one == pytest.approx(other)


def test_sides_that_never_met_are_ranked_by_those_they_met() -> None:
    compared: dict[tuple[str, str], Wins] = {("a", "b"): wins(8, 2, 0), ("b", "c"): wins(8, 2, 0)}
    found = strengths(compared)
    assert sorted(found, key=lambda side: -found[side]) == ["a", "b", "c"]


def test_who_never_lost_is_not_infinitely_strong() -> None:
    found = strengths({("a", "b"): wins(5, 0, 0)})
    assert 0 < found["a"] < 10
    assert strengths({}) == {}


def test_several_reviewers_of_a_thing_do_not_make_it_several() -> None:
    one, many = of.wins([[1.0], [0.0], [0.5]]), of.wins([[1.0] * 5, [0.0] * 5, [1.0, 0.0]])
    assert (one.rate, one.low, one.high, one.n) == (many.rate, many.low, many.high, 3)
    assert (many.better, many.worse, many.ties) == (6, 6, 0)
