"""History: questions in their order, numbers that stay, faults that disturb nobody."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.store.history import NAME, again, answered, history, listed, remember
from runner.store.query import render


def test_what_was_answered_is_known_and_what_failed_is_not(results: Path) -> None:
    assert history(results) == [] and listed(results).num_rows == 0
    assert answered(results, "SELECT unnest([1, 2]) + $n AS x", {"n": 3}).to_pylist() == [{"x": 4}, {"x": 5}]
    with pytest.raises(RunnerError):
        answered(results, "FROM nothing", {})
    (one,) = history(results)
    assert (one.number, one.sql, one.params, one.rows) == (1, "SELECT unnest([1, 2]) + $n AS x", {"n": 3}, 2)
    assert 0 <= one.seconds < 60
    (row,) = listed(results).to_pylist()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["time"]) and row["params"] == '{"n": 3}'
    assert "unnest" in render(listed(results))


def test_a_question_is_asked_again_by_its_number(results: Path) -> None:
    for number in (1, 2):
        remember(results, f"SELECT {number}", {}, 1, 0.5)
    assert again(results, 2).sql == "SELECT 2"
    with pytest.raises(RunnerError, match="no question has the number 3") as caught:
        again(results, 3)
    assert caught.value.hint == "the last one is 2; `runner query --history` lists them"


def test_nothing_was_asked_yet(results: Path) -> None:
    with pytest.raises(RunnerError) as caught:
        again(results, 1)
    assert caught.value.hint == "nothing was asked yet; `runner query --history` lists them"


def test_torn_and_foreign_lines_keep_their_number(results: Path) -> None:
    remember(results, "SELECT 1", {}, 1, 0.5)
    with (results / NAME).open("ab") as file:
        file.write(b'{"time": 1, "sql\n[]\n\xff\n')
    remember(results, "SELECT 5", {}, 1, 0.5)
    assert [(each.number, each.sql) for each in history(results)] == [(1, "SELECT 1"), (5, "SELECT 5")]


def test_several_who_ask_lose_nothing(results: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: remember(results, f"SELECT {n}" + " " * 5000, {}, 1, 0.1), range(40)))
    assert sorted(int(each.sql.split()[1]) for each in history(results)) == list(range(40))


def test_a_history_that_cannot_be_written_is_told_and_the_answer_stays(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / NAME).mkdir()
    assert answered(results, "SELECT 1 AS one", {}).to_pylist() == [{"one": 1}]
    assert f"warning: the question is not in `{results / NAME}`: Is a directory" in capsys.readouterr().err


def test_dates_are_kept_as_text(results: Path) -> None:
    import datetime

    day = datetime.date(2026, 1, 31)
    answered(results, "SELECT $day::DATE AS day", {"day": day})
    known = again(results, 1)
    assert answered(results, known.sql, known.params).to_pylist() == [{"day": day}]
