"""Logs written by hand, and the content of a whole database as plain values."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from runner.store import ingest as module
from runner.store.derived import derive
from runner.store.ingest import ingest
from runner.store.log import Log
from runner.store.migrations import KEPT, migrate
from runner.store.points import Points
from runner.store.series import put
from runner.store.tables import TABLES

NEW_YEAR = 1704067200.0  # 2024-01-01 00:00:00 UTC
ELSEWHERE = {"pid": 7, "host": "elsewhere"}  # a process of which this machine knows nothing


def log_of(results: Path, run: str = "demo", attempt: int = 1) -> Log:
    """A log whose clock stands still."""
    return Log(results / "runs" / run, run, attempt, clock=lambda: NEW_YEAR)


def file_of(results: Path, run: str = "demo") -> Path:
    """The file of a log, in a folder that exists."""
    folder = results / "runs" / run
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "log.jsonl"


def start(log: Log, **fields: Any) -> None:
    """The first record of an attempt, by a process elsewhere."""
    log.write("run_started", **({"name": log.run, "seed": 13} | ELSEWHERE | fields))


def content(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """All rows of all tables, in no order that matters; as text, for NaN is not equal to itself."""
    return {name: sorted(map(repr, con.execute(f"FROM {name}").fetchall())) for name in TABLES}


def stored(results: Path, name: str = "results.duckdb") -> dict[str, list[str]]:
    """The content of a database file."""
    with duckdb.connect(str(results / name), read_only=True) as con:
        return content(con)


def ask(results: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the published copy as it is, without catching up."""
    with duckdb.connect(str(results / "results.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """No rows in any table."""
    con.execute("BEGIN")
    for name in KEPT.keys() - {"migrations", "texts", "metric_definitions"}:
        con.execute(f"DELETE FROM {name}")
    con.execute("COMMIT")


def insert(con: duckdb.DuckDBPyConnection, table: str, given: list[tuple[Any, ...]]) -> None:
    """Rows of any table, with what is derived of them; those of `metrics` go into the narrow tables."""
    if table != "metrics":
        module.insert(con, table, given)
        derive(con, {row[0] for row in given})
        return
    points = Points()
    for run, attempt, time, step, epoch, split, task, metric, value in given:
        points.add(run, attempt, time or 0, step, epoch, split or "", {f"{task}.{metric}" if task else metric: value})
    put(con, points)


@pytest.fixture(scope="session")
def memory() -> duckdb.DuckDBPyConnection:
    """A database in memory, for laws that clear it themselves."""
    con = duckdb.connect(config={"threads": 1})
    migrate(con, ":memory:")
    return con


@pytest.fixture
def con(memory: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The same, empty."""
    clear(memory)
    return memory


@pytest.fixture(scope="session")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results whose database has no rows yet."""
    results = tmp_path_factory.mktemp("new")
    ingest(results)
    return results


@pytest.fixture
def results(new: Path, tmp_path: Path) -> Path:
    """The same, the test's own; to copy it is much faster than to make it."""
    for name in ("store.duckdb", "results.duckdb"):
        shutil.copy2(new / name, tmp_path / name)
    return tmp_path
