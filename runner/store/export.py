"""Export: runs of the store, as of one moment, in a form that other programs read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from runner.errors import RunnerError
from runner.store.grids import members
from runner.store.ingest import ingest
from runner.store.query import query
from runner.store.tables import TABLES
from runner.store.working import PUBLISHED, fault

FORMATS = ("parquet", "csv", "tensorboard", "mlflow")
SKIPPED = ("offsets",)  # how far this machine has read its logs
KNOWN = """
    SELECT o.run, coalesce(nullif(r.name, ''), g.grid, 'unnamed') AS experiment, o.position
    FROM offsets o LEFT JOIN runs r ON r.run = o.run
    LEFT JOIN (SELECT run, min(grid) AS grid FROM grid_trials GROUP BY run) g ON g.run = o.run
"""


class Chosen(NamedTuple):
    """A run that is exported, the experiment it stands with, and how many bytes of its log the tables tell of."""

    run: str
    experiment: str
    position: int


@dataclass(frozen=True)
class Moment:
    """One state of the store; `con` has its tables, and `chosen` with the runs that are exported."""

    results: Path
    con: duckdb.DuckDBPyConnection
    runs: tuple[Chosen, ...]

    @property
    def tables(self) -> list[str]:
        """The names of all tables that tell of runs."""
        return [name for name in TABLES if name not in SKIPPED]

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a statement."""
        found = self.con.execute(sql, values or None)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def export(results: Path, target: str, format: str, grids: Sequence[str], runs: Sequence[str]) -> dict[str, Any]:
    """Write the runs of some grids, or some runs, or all, to a folder, URL or server; what was written, in numbers."""
    wanted = {*(row["run"] for grid in grids for row in members(results, grid)), *(whole(results, run) for run in runs)}
    with moment(results, wanted if grids or runs else None) as chosen:
        written: dict[str, int] = import_module(f"runner.store.formats.{format}").write(chosen, target)
        return {"target": without_secret(target), "format": format, "runs": len(chosen.runs)} | written


@contextmanager
def moment(results: Path, wanted: set[str] | None = None) -> Iterator[Moment]:
    """The published state after catching up with the logs, and the runs that are wanted, or all."""
    ingest(results)
    con = attached(results / PUBLISHED)
    some, values = (" WHERE o.run IN (SELECT unnest($runs))", {"runs": [*wanted]}) if wanted is not None else ("", None)
    try:
        con.execute(f"CREATE TEMP TABLE chosen AS {KNOWN}{some} ORDER BY experiment, o.run", values)
        yield Moment(results, con, tuple(Chosen(*row) for row in con.execute("FROM chosen").fetchall()))
    except duckdb.IOException as error:
        raise RunnerError(f"cannot export: {error}", "free some space and export again") from error
    finally:
        con.close()


def attached(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that reads a database and may write files."""
    con = duckdb.connect()
    try:
        con.execute(f"ATTACH '{quoted(str(path))}' AS results (READ_ONLY)")
        con.execute("USE results")
    except duckdb.Error as error:
        con.close()
        raise fault(path, error) from error
    return con


def whole(results: Path, run: str) -> str:
    """The name of the run that has this name, or whose name alone begins so."""
    rows = query(results, "SELECT run_named($run) AS run", {"run": run}).to_pylist()
    return str(rows[0]["run"])


def without_secret(target: str) -> str:
    """A path or URL without user and password."""
    return re.sub(r"//[^/@]*@", "//", target)


def quoted(text: str) -> str:
    """The inside of a string of SQL."""
    return text.replace("'", "''")


def told(found: dict[str, Any]) -> str:
    """What was written, for people."""
    more = ", ".join(f"{count:,} {name}" for name, count in found.items() if name not in ("target", "format", "runs"))
    runs = f"{found['runs']:,} run" + "s" * (found["runs"] != 1)
    return f"wrote {runs} to {found['target']}" + (f": {more}" if more else "")
