"""What is worked out as rows come in is what all rows together say."""

from __future__ import annotations

from pathlib import Path

import duckdb

from runner.store.derived import DERIVED, derive_all
from runner.store.ingest import catch_up
from tests.store.conftest import file_of, log_of, rows
from tests.store.runs import GOLD, run, said


def derived(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    return {name: sorted(map(repr, rows(con, f"FROM {name}"))) for name in DERIVED}


def test_what_comes_in_pieces_is_derived_as_if_at_once(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    for at, name in enumerate("abcd"):
        run(tmp_path, name, said(GOLD, range(at)), seed=at, spec={"train.epochs": at // 2})
        lines = file_of(tmp_path, name).read_bytes().splitlines(keepends=True)
        for cut in (3, len(lines)):
            file_of(tmp_path, name).write_bytes(b"".join(lines[:cut]))
            catch_up(con, tmp_path)
    grown = derived(con)
    derive_all(con)
    assert derived(con) == grown and all(len(found) == 4 for found in grown.values())


def test_runs_of_one_setting_that_answered_the_same_share_both(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    run(tmp_path, "a", seed=1)
    run(tmp_path, "b", seed=2)
    run(tmp_path, "c", seed=1, spec={"train.epochs": 9}, ids=[f"j{at}" for at in range(len(GOLD))])
    catch_up(con, tmp_path)
    assert rows(con, "SELECT list(run ORDER BY run) FROM settings GROUP BY setting ORDER BY 1") == [
        (["a", "b"],),
        (["c"],),
    ]
    assert rows(con, "SELECT list(run ORDER BY run), any_value(n) FROM asked GROUP BY examples ORDER BY 1") == [
        (["a", "b"], len(GOLD)),
        (["c"], len(GOLD)),
    ]


def test_answers_that_are_replaced_change_what_was_asked(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    for attempt, ids in ((1, ["a", "b"]), (2, ["a"])):
        log_of(tmp_path, attempt=attempt).write("answers", split="test", task="t", ids=ids)
        catch_up(con, tmp_path)
        assert rows(con, "SELECT n FROM asked") == [(len(ids),)]
