"""Equality of what two runs recorded: bit by bit, with rows that only one of them has."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.store.equality import Difference, compared, same
from tests.store.conftest import log_of, start
from tests.store.runs import GOLD, run, said


def test_a_run_is_equal_to_itself_elsewhere(tmp_path: Path) -> None:
    for place in ("one", "two"):
        run(tmp_path / place, "run", said(GOLD, [1, 2]))
    found = compared((tmp_path / "one", "run"), (tmp_path / "two", "run"))
    assert {kind: (each.rows, each.equal, each.differences) for kind, each in found.items()} == {
        "scores": (2, 2, []),
        "points": (0, 0, []),
        "answers": (40, 40, []),
        "samples": (0, 0, []),
    }


def test_what_differs_is_named_with_both_values(tmp_path: Path) -> None:
    run(tmp_path, "one", GOLD)
    run(tmp_path, "two", said(GOLD, [4]))
    found = compared((tmp_path, "one"), (tmp_path, "two"))
    assert found["answers"].differences == [Difference("answers", "test mood 4", "predicted", "b", "c")]
    assert (found["answers"].rows, found["answers"].equal) == (40, 39)
    assert found["scores"].differences[0] == Difference("scores", "test best mood accuracy", "value", 1.0, 0.975)


def test_points_that_are_no_numbers_are_equal_and_missing_ones_are_told(tmp_path: Path) -> None:
    for name, steps in (("one", (1, 2, 3)), ("two", (1, 2, 4))):
        log = log_of(tmp_path, name)
        start(log)
        for step in steps:
            log.write("metrics", step=step, split="train", values={"loss": math.nan if step == 2 else 0.1 * step})
        log.close()
    points = compared((tmp_path, "one"), (tmp_path, "two"))["points"]
    assert (points.rows, points.equal) == (4, 2)
    assert points.differences == [
        Difference("points", "train loss 3", "row", "there", "missing"),
        Difference("points", "train loss 4", "row", "missing", "there"),
    ]


@given(st.floats(), st.floats())
def test_only_equal_bits_are_the_same(one: float, other: float) -> None:
    assert same(one, one) and same(one, other) == (one.hex() == other.hex())


@pytest.mark.parametrize(("one", "other"), [(0.0, -0.0), (1, 1.0), (1, True), (None, 0), ("1", 1), (0.1 + 0.2, 0.3)])
def test_what_only_looks_equal_is_not(one: object, other: object) -> None:
    assert not same(one, other) and same(one, one)
