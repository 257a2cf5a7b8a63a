"""Logs -> database: one ingester at a time reads what is new, in one transaction with how far it read; publishes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
from filelock import FileLock

from runner.errors import RunnerError
from runner.store import processes, records
from runner.store.log import NAME
from runner.store.migrations import migrate
from runner.store.tables import TABLES

WORKING = "store.duckdb"
PUBLISHED = "results.duckdb"
HEAD = 256  # bytes whose hash tells a log that was replaced
CHUNK = 64 * 2**20  # bytes of one log read at once
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


@contextmanager
def locked(results: Path) -> Iterator[None]:
    """One ingester at a time; the folder is made where it is missing."""
    lock = FileLock(results / ".ingest.lock")
    try:
        results.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise RunnerError(
            f"cannot write in `{results}`: {error.strerror}", "choose a folder that is writable"
        ) from error
    try:
        yield
    finally:
        lock.release()


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of a file; a published copy has those of the working file that it was made from."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


@contextmanager
def opened(path: Path, wait: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working file for writing, migrated."""
    con = connect(path, wait)
    try:
        migrate(con, path)
        yield con
    except duckdb.Error as error:
        raise fault(path, error) from error
    finally:
        con.close()


def fault(path: Path, error: duckdb.Error) -> RunnerError:
    """What is wrong with the working file, and what mends it."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    if re.search(
        r"no space left|could not write|disk quota|permission denied|read-only file", str(error), re.IGNORECASE
    ):
        return RunnerError(f"cannot write `{path}`: {first}", "free some space and ask again; the logs are complete")
    return RunnerError(f"`{path}` is damaged: {first}", "`runner store rebuild` makes it again from the logs")


def connect(path: Path, wait: float) -> duckdb.DuckDBPyConnection:
    """Open for writing, waiting while another program holds the file."""
    until = time.monotonic() + wait
    while True:
        try:
            return duckdb.connect(str(path))
        except duckdb.Error as error:
            message = str(error)
            if "different configuration" in message:
                hint = "close the connection that this very program holds, then ask again"
                raise RunnerError(f"`{path}` is open here with other settings", hint) from error
            if "could not set lock" not in message.lower():
                raise fault(path, error) from error
            if time.monotonic() > until:
                raise RunnerError(
                    f"`{path}` is locked by {holder(message)}", "close that program, then ask again"
                ) from error
            time.sleep(0.1)


def holder(message: str) -> str:
    """Who holds the file, from DuckDB's message and the process table."""
    found = re.search(r"PID (\d+)", message)
    if not found:
        return "another program"
    pid = int(found[1])
    return f"process {pid} (`{processes.title(pid) or 'unknown'}`)"


@dataclass
class Fresh:
    """New rows by table, each with the order of its record, so that later records replace earlier ones."""

    rows: dict[str, list[tuple[int, tuple[Any, ...]]]] = field(default_factory=dict)
    ends: list[tuple[str, int, int, float | None, str]] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)
    count: int = 0

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        self.rows.setdefault(table, []).append((self.count, row))


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


def take(log: Path, run: str, position: int, head: str) -> tuple[Fresh | None, tuple[int, int, str]]:
    """New records of one log and (begin, end, hash of the log's head) of what was read; None when there is none."""
    with log.open("rb") as stream:
        if not continues(stream, position, head):
            position = 0
        stream.seek(position)
        block = stream.read(CHUNK)
        while b"\n" not in block and (more := stream.read(CHUNK)):
            block += more
        block = block[: block.rfind(b"\n") + 1]
        end = position + len(block)
        digest = beginning(stream, end)
    if not block:
        return None, (position, position, head)
    return parse(block, run, position), (position, end, digest)


def continues(stream: BinaryIO, position: int, head: str) -> bool:
    """Whether the log is still the one that was read up to `position`, where a line ended."""
    if not position:
        return True
    stream.seek(position - 1)
    return stream.read(1) == b"\n" and beginning(stream, position) == head


def beginning(stream: BinaryIO, end: int) -> str:
    """The hash of the first bytes of a log, at most `end` of them."""
    stream.seek(0)
    return hashlib.sha256(stream.read(min(HEAD, end))).hexdigest()


def parse(block: bytes, run: str, position: int) -> Fresh:
    """Rows of all whole lines; a line that cannot be read becomes a row of `bad_lines`."""
    fresh = Fresh(runs={run})
    for line in io.BytesIO(block):
        if line.strip():
            try:
                understand(fresh, run, loaded(line))
            except (LookupError, TypeError, ValueError, OverflowError, AttributeError, RecursionError) as error:
                start = line[:200].decode(errors="replace").strip()
                reason = f"{type(error).__name__}: {error}".encode(errors="replace").decode()
                fresh.add("bad_lines", (run, position, reason, start))
            fresh.count += 1
        position += len(line)
    return fresh


def understand(fresh: Fresh, run: str, record: dict[str, Any]) -> None:
    """Add the rows of one record, or raise before the first."""
    found = records.rows(record)
    attempt = records.whole(record["attempt"])
    if attempt is None:
        raise ValueError("a record without attempt")
    opening(fresh, run, attempt, record)
    for table, rows in found:
        for row in rows:
            fresh.add(table, (run, attempt, *row))


def loaded(line: bytes) -> Any:
    """The value of a line; half of a surrogate pair, which no database holds as text, becomes a question mark."""
    value = json.loads(line.decode())
    if b"\\ud" in line.lower():
        value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    return value


def opening(fresh: Fresh, run: str, attempt: int, record: dict[str, Any]) -> None:
    """The begin and end of an attempt."""
    when = records.moment(record["time"])
    if record["event"] == "run_started":
        environment = records.document(record.get("environment"))
        process = (records.whole(record.get("pid")), records.text(record.get("host")))
        fresh.add("attempts", (run, attempt, when, *process, environment, None, None, "running"))
        fresh.ends = [end for end in fresh.ends if end[1] != attempt]
    elif record["event"] == "run_finished":
        fresh.ends.append((run, attempt, when, records.real(record.get("seconds")), str(record.get("state"))))


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


def publish(results: Path) -> None:
    """Readers get a copy of their own, renamed into place: they never block the writer, nor it them."""
    for left in results.glob(f".{PUBLISHED}.*.part"):
        left.unlink(missing_ok=True)
    temporary = results / f".{PUBLISHED}.{os.getpid()}.part"
    try:
        shutil.copyfile(results / WORKING, temporary)
        made = (results / WORKING).stat()
        os.utime(temporary, ns=(made.st_atime_ns, made.st_mtime_ns))
        temporary.replace(results / PUBLISHED)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunnerError(
            f"cannot publish `{results / PUBLISHED}`: {error.strerror}",
            "free some space and ask again; nothing is lost",
        ) from error
