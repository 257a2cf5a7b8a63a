"""Upgrade: the database of an older program brought to today's form, as every reader and writer does unasked."""

from __future__ import annotations

from pathlib import Path

import duckdb

from runner.store.ingest import ingest
from runner.store.migrations import MIGRATIONS
from runner.store.working import WORKING, connect, fault, locked


def upgrade(results: Path) -> tuple[int, int]:
    """The migrations that the database had, and those it has now; RunnerError for one of a newer program."""
    with locked(results):
        before = number(results / WORKING)
    ingest(results)
    return before, len(MIGRATIONS)


def number(path: Path) -> int:
    """The migrations that a database remembers, 0 where there is none."""
    if not path.exists():
        return 0
    try:
        with connect(path, wait=10.0) as con:
            known = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'migrations'").fetchone()
            row = con.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchone() if known else None
            return int(row[0]) if row else 0
    except duckdb.Error as error:
        raise fault(path, error) from error
