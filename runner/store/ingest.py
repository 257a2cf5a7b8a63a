"""Logs -> database: one ingester at a time reads what is new, in one transaction with how far it read; publishes."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import duckdb

from runner.errors import RunnerError
from runner.store import processes
from runner.store.log import NAME
from runner.store.tables import TABLES
from runner.store.tail import Fresh, take
from runner.store.working import PUBLISHED, WORKING, locked, opened, publish, stamp

ARROW = {"VARCHAR": "string", "JSON": "string", "BIGINT": "int64", "DOUBLE": "float64", "BOOLEAN": "bool"}


def ingest(results: Path, wait: float = 10.0) -> int:
    """Bring the database up to date with all logs and publish it; the number of records read.

    Raises RunnerError when another program holds the working file for longer than `wait` seconds, when it is damaged,
    or when the disk is full; what was recorded stays in the logs.
    """
    with locked(results):
        with opened(results / WORKING, wait) as con:
            count = catch_up(con, results)
            if settle(con) or count:
                con.execute("CHECKPOINT")
        if stamp(results / WORKING) != stamp(results / PUBLISHED):
            publish(results)
    return count


def rebuild(results: Path) -> int:
    """Make the database anew from the logs; the number of records read."""
    with locked(results):
        for name in (WORKING, f"{WORKING}.wal"):
            (results / name).unlink(missing_ok=True)
    return ingest(results)


def catch_up(con: duckdb.DuckDBPyConnection, results: Path) -> int:
    """Read every log from its offset to its last newline; rows and offsets go in together."""
    rows = con.execute("SELECT run, position, head FROM offsets").fetchall()
    known = {run: (position, head) for run, position, head in rows}
    logs = sorted((results / "runs").glob(f"*/{NAME}"))
    return sum(follow(con, log, *known.get(log.parent.name, (0, ""))) for log in logs)


def follow(con: duckdb.DuckDBPyConnection, log: Path, position: int, head: str) -> int:
    """Read one log to its last newline, a transaction for each block; a log that vanished meanwhile has nothing new."""
    run, total, known = log.parent.name, 0, position > 0
    while True:
        try:
            fresh, (begin, position, head) = take(log, run, position, head)
        except FileNotFoundError:
            return total
        except OSError as error:
            raise RunnerError(f"cannot read `{log}`: {error.strerror}", "make it readable and ask again") from error
        if fresh is None:
            if known and not position:
                forget(con, run)
            return total
        known = True
        con.execute("BEGIN")
        if begin == 0:
            forget(con, run)
        write(con, fresh, run, (begin, position, head))
        con.execute("COMMIT")
        total += fresh.count


def forget(con: duckdb.DuckDBPyConnection, run: str) -> None:
    """Delete all rows of a run, whose log is another one now."""
    for table in TABLES:
        con.execute(f"DELETE FROM {table} WHERE run = ?", [run])


def write(con: duckdb.DuckDBPyConnection, fresh: Fresh, run: str, end: tuple[int, int, str]) -> None:
    """Insert new rows in the open transaction, in place of those that they replace."""
    for table, numbered in fresh.rows.items():
        insert(con, table, latest(table, numbered))
    insert(con, "offsets", [(run, end[1], end[2])])
    for name, attempt, when, seconds, state in fresh.ends:
        con.execute(
            "UPDATE attempts SET finished = make_timestamp(?), seconds = ?, state = ? WHERE run = ? AND attempt = ?",
            [when, seconds, state, name, attempt],
        )
    refresh(con, run)


def latest(table: str, numbered: list[tuple[int, tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Of rows that agree in the table's scope, those of the last record."""
    columns = list(TABLES[table].columns)
    places = [columns.index(name) for name in TABLES[table].scope]
    if not places:
        return [row for _, row in numbered]
    last = {tuple(row[place] for place in places): number for number, row in numbered}
    return [row for number, row in numbered if last[tuple(row[place] for place in places)] == number]


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Replace and insert in bulk."""
    import pyarrow as pa

    columns = TABLES[table].columns
    types = [
        pa.timestamp("us") if kind == "TIMESTAMP" else pa.type_for_alias(ARROW[kind]) for kind, _ in columns.values()
    ]
    arrays = [pa.array(values, kind) for values, kind in zip(zip(*rows, strict=True), types, strict=True)]
    fresh = pa.table(dict(zip(columns, arrays, strict=True)))
    con.register("fresh", fresh)
    scope = TABLES[table].scope
    if scope:
        same = " AND ".join(f"{table}.{name} IS NOT DISTINCT FROM f.{name}" for name in scope)
        con.execute(f"DELETE FROM {table} USING (SELECT DISTINCT {', '.join(scope)} FROM fresh) f WHERE {same}")
    con.execute(f"INSERT INTO {table} SELECT * FROM fresh")
    con.unregister("fresh")


def refresh(con: duckdb.DuckDBPyConnection, run: str) -> None:
    """Sum up the attempts of a run in its row."""
    con.execute(
        """
        UPDATE runs SET attempts = a.attempts, state = a.state, started = a.started, finished = a.finished,
                        seconds = a.seconds
        FROM (SELECT run, max(attempt) AS attempts, arg_max(state, attempt) AS state, min(started) AS started,
                     arg_max_null(finished, attempt) AS finished, sum(seconds) AS seconds
              FROM attempts WHERE run = $run GROUP BY run) a
        WHERE runs.run = a.run
        """,
        {"run": run},
    )


def settle(con: duckdb.DuckDBPyConnection) -> bool:
    """Mark attempts whose process on this machine has died without a word as lost; whether any was found."""
    open_ones = con.execute(
        "SELECT run, attempt, pid, epoch(started) FROM attempts"
        " WHERE state = 'running' AND host = ? AND pid IS NOT NULL",
        [socket.gethostname()],
    ).fetchall()
    dead = [(run, attempt) for run, attempt, pid, since in open_ones if not processes.runs(pid, since)]
    for run, attempt in dead:
        con.execute("UPDATE attempts SET state = 'lost' WHERE run = ? AND attempt = ?", [run, attempt])
        refresh(con, run)
    return bool(dead)
