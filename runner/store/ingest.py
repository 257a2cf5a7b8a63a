"""Logs -> database: one ingester at a time reads what is new, in transactions with how far it read; publishes."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from runner.store import processes, seen
from runner.store.derived import SOURCES, derive
from runner.store.log import NAME
from runner.store.narrow import NARROW
from runner.store.series import put
from runner.store.tables import TABLES
from runner.store.tail import Fresh, batches
from runner.store.working import PUBLISHED, WORKING, locked, opened, publish, stamp

if TYPE_CHECKING:
    import pyarrow as pa

ARROW = {"VARCHAR": "string", "JSON": "string", "BIGINT": "int64", "DOUBLE": "float64", "BOOLEAN": "bool"}


def ingest(results: Path, wait: float = 10.0) -> int:
    """Bring the database up to date with all logs and publish it; the number of records read.

    Raises RunnerError when another program holds the working file for longer than `wait` seconds, when it is damaged,
    or when the disk is full; what was recorded stays in the logs.
    """
    with locked(results):
        before, now = seen.recall(results), seen.look(results, waiting=True)
        with opened(results / WORKING, wait) as con:
            count = catch_up(con, results, before.changed(now))
            if settle(con) or count:
                con.execute("CHECKPOINT")
            waiting = bool(open_here(con))
        if stamp(results / WORKING) != stamp(results / PUBLISHED):
            publish(results)
        seen.remember(results, replace(seen.look(results, waiting), logs=now.logs))
    return count


def rebuild(results: Path) -> int:
    """Make the database anew from the logs; the number of records read."""
    with locked(results):
        for name in (WORKING, f"{WORKING}.wal"):
            (results / name).unlink(missing_ok=True)
    return ingest(results)


def catch_up(con: duckdb.DuckDBPyConnection, results: Path, runs: Iterable[str] | None = None) -> int:
    """Read all logs, or those of some runs, from offset to last newline; rows and offsets of many go in together."""
    rows = con.execute("SELECT run, position, head FROM offsets").fetchall()
    known = {run: (position, head) for run, position, head in rows}
    total = 0
    logs = sorted((results / "runs").glob(f"*/{NAME}"))
    if runs is not None:
        logs = [results / "runs" / run / NAME for run in runs]
    for fresh in batches(logs, known):
        con.execute("BEGIN")
        write(con, fresh)
        con.execute("COMMIT")
        total += fresh.count
    return total


def forget(con: duckdb.DuckDBPyConnection, runs: Collection[str]) -> None:
    """Delete all rows of runs whose logs are other ones now."""
    if not runs:
        return
    gone = "(SELECT unnest($runs))"
    for name in ("points", "series"):
        con.execute(
            f"DELETE FROM {name} WHERE run_id IN (SELECT run_id FROM run_ids WHERE run IN {gone})", {"runs": list(runs)}
        )
    for name, table in (TABLES | NARROW).items():
        if "run" in table.columns and not table.sql and name != "run_ids":
            con.execute(f"DELETE FROM {name} WHERE run IN {gone}", {"runs": list(runs)})


def write(con: duckdb.DuckDBPyConnection, fresh: Fresh) -> None:
    """Insert new rows in the open transaction, in place of those that they replace."""
    forget(con, fresh.anew)
    for table, numbered in fresh.rows.items():
        insert(con, table, latest(table, numbered), fresh.held)
    put(con, fresh.points)
    end(con, fresh)
    derive(con, fresh.touched(*SOURCES))
    insert(con, "offsets", [(run, *at) for run, at in fresh.offsets.items() if at[0]], fresh.held)


def latest(table: str, numbered: list[tuple[int, tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Of rows that agree in the table's scope, those of the last record."""
    columns = list(TABLES[table].columns)
    places = [columns.index(name) for name in TABLES[table].scope]
    if not places:
        return [row for _, row in numbered]
    last = {tuple(row[place] for place in places): number for number, row in numbered}
    return [row for number, row in numbered if last[tuple(row[place] for place in places)] == number]


def insert(
    con: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]], held: Collection[str] | None = None
) -> None:
    """Replace and insert in bulk; `held` are the runs that may have rows already, None stands for any."""
    if not rows:
        return
    scope = TABLES[table].scope
    con.register("fresh", arrow(table, rows))
    if scope and (held is None or any(row[0] in held for row in rows)):
        same = " AND ".join(f"{table}.{name} IS NOT DISTINCT FROM f.{name}" for name in scope)
        con.execute(f"DELETE FROM {table} USING (SELECT DISTINCT {', '.join(scope)} FROM fresh) f WHERE {same}")
    con.execute(f"INSERT INTO {table} FROM fresh")
    con.unregister("fresh")


def arrow(table: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    """Rows of a table as columns of its types."""
    import pyarrow as pa

    columns = TABLES[table].columns
    types = [
        pa.timestamp("us") if kind == "TIMESTAMP" else pa.type_for_alias(ARROW[kind]) for kind, _ in columns.values()
    ]
    arrays = [pa.array(values, kind) for values, kind in zip(zip(*rows, strict=True), types, strict=True)]
    return pa.table(dict(zip(columns, arrays, strict=True)))


def end(con: duckdb.DuckDBPyConnection, fresh: Fresh) -> None:
    """Complete the attempts that ended, and sum up the attempts of runs that began or ended one."""
    import pyarrow as pa

    if fresh.ends:
        rows = [(*key, *said) for key, said in fresh.ends.items()]
        names = ("run", "attempt", "finished", "seconds", "state")
        con.register("ended", pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))))
        con.execute(
            "UPDATE attempts SET finished = make_timestamp(e.finished), seconds = e.seconds, state = e.state"
            " FROM ended e WHERE attempts.run = e.run AND attempts.attempt = e.attempt"
        )
        con.unregister("ended")
    refresh(con, fresh.touched("runs", "attempts") | {run for run, _ in fresh.ends})


def refresh(con: duckdb.DuckDBPyConnection, runs: Collection[str]) -> None:
    """Sum up the attempts of runs in their rows."""
    con.execute(
        """
        UPDATE runs SET attempts = a.attempts, state = a.state, started = a.started, finished = a.finished,
                        seconds = a.seconds
        FROM (SELECT run, max(attempt) AS attempts, arg_max(state, attempt) AS state, min(started) AS started,
                     arg_max_null(finished, attempt) AS finished, sum(seconds) AS seconds
              FROM attempts WHERE run IN (SELECT unnest($runs)) GROUP BY run) a
        WHERE runs.run = a.run
        """,
        {"runs": list(runs)},
    )


def settle(con: duckdb.DuckDBPyConnection) -> bool:
    """Mark attempts whose process on this machine has died without a word as lost; whether any was found."""
    dead = [(run, attempt) for run, attempt, pid, since in open_here(con) if not processes.runs(pid, since)]
    for run, attempt in dead:
        con.execute("UPDATE attempts SET state = 'lost' WHERE run = ? AND attempt = ?", [run, attempt])
    if dead:
        refresh(con, {run for run, _ in dead})
    return bool(dead)


def open_here(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int, int, float]]:
    """Attempts that a process of this machine has not ended, with the process and when they began."""
    return con.execute(
        "SELECT run, attempt, pid, epoch(started) FROM attempts"
        " WHERE state = 'running' AND host = ? AND pid IS NOT NULL",
        [socket.gethostname()],
    ).fetchall()
