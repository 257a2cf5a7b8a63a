"""The console: SQL that somebody types, held to rows, seconds and memory, and to the published copy, read-only.

Nothing here reads the text of a statement to see whether it is harmless: the copy is attached read-only, and DuckDB is
told to leave files, network and its own settings alone.
"""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from runner.errors import RunnerError
from runner.store.query import asking, cell, hint, opened, plain
from runner.store.working import PUBLISHED

ROWS, SECONDS, MEMORY, AT_ONCE = 1000, 10.0, "512MB", 4
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would carry out a text that begins so
LOCKS = f"""
    SET memory_limit = '{MEMORY}';
    SET threads = 2;
    SET temp_directory = '';
    SET python_enable_replacements = false;
    SET enable_external_access = false;
    SET lock_configuration = true
"""


@dataclass(frozen=True)
class Answer:
    """The first rows of a statement; `more` says that there are others."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool
    seconds: float


@dataclass
class Work:
    """A statement at work: its connection, and why it was stopped."""

    con: duckdb.DuckDBPyConnection
    stopped: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def stop(self, why: str) -> None:
        """Interrupt until it is over: an interrupt between two statements of one text is forgotten."""
        self.stopped = self.stopped or why
        while not self.over.is_set():
            self.con.interrupt()
            self.over.wait(0.05)


class Console:
    """Answers statements over one folder of results; the few that are at work can be cancelled by their ticket."""

    def __init__(self, results: Path, rows: int = ROWS, seconds: float = SECONDS) -> None:
        self.results, self.rows, self.seconds = results, rows, seconds
        self.works: dict[str, Work] = {}
        self.lock = threading.Lock()

    def ask(self, sql: str, ticket: str) -> Answer:
        """The rows of a statement; RunnerError where it is wrong, takes too long or was cancelled."""
        if not sql.strip():
            raise RunnerError("no SQL to run", "one of the examples is a start")
        begun = time.monotonic()
        with asking(self.results):
            con = opened(self.results / PUBLISHED)
        try:
            con.execute(LOCKS)
            with self.watched(con, ticket) as work:
                return self.answered(work, sql, begun)
        finally:
            con.close()

    def answered(self, work: Work, sql: str, begun: float) -> Answer:
        """What a statement gives on its connection."""
        try:
            rows = work.con.execute(sql).fetchmany(self.rows + 1)
        except duckdb.Error as error:
            raise refused(work, error) from error
        columns = tuple(str(name) for name, *_ in work.con.description or ())
        if not columns:
            raise RunnerError("the statement has no rows to show", "ask with SELECT, FROM, DESCRIBE or SHOW")
        more = len(rows) > self.rows
        return Answer(columns, tuple(rows[: self.rows]), more, time.monotonic() - begun)

    @contextmanager
    def watched(self, con: duckdb.DuckDBPyConnection, ticket: str) -> Iterator[Work]:
        """A statement that can be cancelled, and is when its time is over."""
        work = Work(con)
        with self.lock:
            if len(self.works) >= AT_ONCE or ticket in self.works:
                raise RunnerError(f"{len(self.works)} statements are at work", "cancel one, or wait until it ends")
            self.works[ticket] = work
        timer = threading.Timer(self.seconds, work.stop, [f"it took more than {self.seconds:g} seconds"])
        timer.daemon = True
        timer.start()
        try:
            yield work
        finally:
            timer.cancel()
            work.over.set()
            with self.lock:
                del self.works[ticket]

    def cancel(self, ticket: str) -> bool:
        """Stop a statement; whether it was at work."""
        with self.lock:
            work = self.works.get(ticket)
        if work is None:
            return False
        work.stop("it was cancelled")
        return True


def refused(work: Work, error: duckdb.Error) -> RunnerError:
    """Why a statement has no answer."""
    if work.stopped:
        return RunnerError(f"the statement was stopped: {work.stopped}", "ask for less, such as fewer rows or runs")
    message = str(error).strip()
    if isinstance(error, duckdb.PermissionException):
        return RunnerError(message, "files and the network are out of reach here")
    if isinstance(error, duckdb.OutOfMemoryException):
        return RunnerError(message, f"a statement has {MEMORY} here; `runner query` has all memory")
    named = isinstance(error, duckdb.CatalogException | duckdb.BinderException) or "read-only" in message
    return RunnerError(message, hint(message) if named else "")


def shown(value: Any) -> str:
    """A cell of the page."""
    if value is None:
        return "–"
    return cell(list(value.items()) if isinstance(value, dict) else value)


def as_csv(answer: Answer) -> str:
    """Rows for a spreadsheet: texts that it would take for a formula begin with an apostrophe."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(map(harmless, answer.columns))
    writer.writerows([harmless(value) for value in row] for row in answer.rows)
    return sink.getvalue()


def harmless(value: Any) -> Any:
    """A value that no spreadsheet carries out; numbers stay numbers."""
    if isinstance(value, int | float) or value is None:
        return value
    nested = isinstance(value, dict | list)
    text = json.dumps(plain(value), ensure_ascii=False, default=str) if nested else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
