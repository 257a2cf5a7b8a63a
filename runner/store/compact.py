"""Compact: the database written anew from its own rows, without the room of those that were replaced or deleted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb

from runner.store.ingest import ingest
from runner.store.migrations import KEPT, migrate
from runner.store.working import PUBLISHED, WORKING, create, fault, locked, publish, quoted

ASIDE = ".compact"  # the folder where it is written
OWN = ("migrations", "texts", "metric_definitions")  # a new database has them already


def compact(results: Path) -> tuple[int, int]:
    """Write the working file anew and publish it; its bytes before and after. A kill or a full disk leaves the old."""
    ingest(results)
    with locked(results):
        old, new = results / WORKING, results / ASIDE / WORKING
        before = old.stat().st_size
        shutil.rmtree(new.parent, ignore_errors=True)  # a kill left it
        try:
            new.parent.mkdir()
            create(new)
            copy(old, new)
            os.replace(new, old)
        except duckdb.Error as error:
            raise fault(old, error) from error
        finally:
            shutil.rmtree(new.parent, ignore_errors=True)
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
