"""Compact: the database written anew from its own rows, without the room of those that were replaced or deleted."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from runner.store.ingest import ingest
from runner.store.migrations import KEPT, migrate
from runner.store.working import PUBLISHED, WORKING, create, fault, locked, publish, quoted

OWN = ("migrations", "texts", "metric_definitions")  # a new database has them already


def compact(results: Path) -> tuple[int, int]:
    """Write the working file anew and publish it; its bytes before and after. A kill leaves the old one."""
    ingest(results)
    with locked(results):
        old, new = results / WORKING, results / f".{WORKING}.compact"
        before = old.stat().st_size
        for left in (new, new.with_name(f"{new.name}.wal")):
            left.unlink(missing_ok=True)
        try:
            create(new)
            copy(old, new)
        except duckdb.Error as error:
            raise fault(old, error) from error
        os.replace(new, old)
        publish(results)
        return before, (results / PUBLISHED).stat().st_size


def copy(old: Path, new: Path) -> None:
    """The rows of all tables, in their order."""
    with duckdb.connect(str(new)) as con:
        migrate(con, new)
        con.execute(f"ATTACH '{quoted(old)}' AS old (READ_ONLY)")
        con.execute("BEGIN")
        for name in KEPT:
            if name not in OWN:
                con.execute(f"INSERT INTO {name} FROM old.{name}")
        con.execute("COMMIT")
        con.execute("DETACH old")
        con.execute("CHECKPOINT")
