"""A compact database has the same rows, views and macros in fewer bytes; an upgraded one says what it was."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from runner.errors import RunnerError
from runner.store.check import check
from runner.store.compact import compact
from runner.store.ingest import ingest
from runner.store.migrations import MIGRATIONS
from runner.store.query import query
from runner.store.upgrade import upgrade
from tests.store import runs
from tests.store.conftest import log_of, stored


def test_rows_stay_and_room_goes(results: Path) -> None:
    for name in ("one-1", "two-1"):
        runs.run(results, name)
    log = log_of(results, "two-1", attempt=2)
    for _ in range(3):
        log.write("answers", split="train", task="mood", ids=[f"{n**9:040}" for n in range(5_000)])
        ingest(results)
    rows = stored(results)
    before, after = compact(results)
    assert after < before
    assert stored(results) == rows == stored(results, "store.duckdb")
    assert check(results).differences == ()
    assert query(results, "SELECT count(*) AS n FROM leaderboard").to_pylist()
    assert not list(results.glob(".store.duckdb*"))
    log.write("metrics", step=1, split="train", values={"loss": 1.0})
    ingest(results)
    assert check(results).differences == ()


def test_a_killed_one_left_something_behind(results: Path) -> None:
    runs.run(results, "one-1")
    (results / ".store.duckdb.compact").write_bytes(b"half a database")
    compact(results)
    assert check(results).differences == ()


def test_an_upgrade_says_from_where(results: Path) -> None:
    assert upgrade(results) == (len(MIGRATIONS), len(MIGRATIONS))
    assert upgrade(results / "new") == (0, len(MIGRATIONS))
    with duckdb.connect(str(results / "store.duckdb")) as con:
        con.execute(f"DELETE FROM migrations WHERE number = {len(MIGRATIONS)}")
    assert upgrade(results) == (len(MIGRATIONS) - 1, len(MIGRATIONS))
    with duckdb.connect(str(results / "store.duckdb")) as con:
        con.execute("INSERT INTO migrations VALUES (999, 'later', now())")
    with pytest.raises(RunnerError, match="made by a newer runner"):
        upgrade(results)
