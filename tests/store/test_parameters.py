"""Parameters: what a word means, and that values are bound and never pasted."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from runner.errors import RunnerError
from runner.store.parameters import parsed
from runner.store.query import query


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("n=3", 3),
        ("n=-0.5", -0.5),
        ("n=true", True),
        ("n=2026-01-31", datetime.date(2026, 1, 31)),
        ("n=[1, 2]", [1, 2]),
        ('n="3"', "3"),
        ("n=quickstart-s13", "quickstart-s13"),
        ("n=a = b", "a = b"),
        ("n=", ""),
    ],
)
def test_what_a_word_means(word: str, value: Any) -> None:
    assert parsed([word]) == {"n": value}


@pytest.mark.parametrize("word", ["n", "=3", "a b=3", "1=2", "train.epochs=3"])
def test_a_word_that_gives_none(word: str) -> None:
    with pytest.raises(RunnerError, match="gives no parameter") as caught:
        parsed([word])
    assert "--param n=3" in caught.value.hint


def test_values_have_types_and_are_never_sql(results: Path) -> None:
    given = parsed(["n=2", "days=[1, 2]", "text='; DROP TABLE runs; --"])
    sql = "SELECT $n + 1 AS n, list_sum($days) AS days, $text AS text"
    (row,) = query(results, sql, given).to_pylist()
    assert row == {"n": 3, "days": 3, "text": "'; DROP TABLE runs; --"}


def test_a_parameter_that_is_missing_or_too_much_is_named(results: Path) -> None:
    with pytest.raises(RunnerError, match=r"\bm\b"):
        query(results, "SELECT $n, $m", {"n": 1})
    with pytest.raises(RunnerError, match=r"\bm\b"):
        query(results, "SELECT $n", {"n": 1, "m": 2})
