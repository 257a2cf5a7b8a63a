"""Check: whether the database says what the logs say, and whether what runs left is still there.

The logs are read anew into a database of its own. Both are then compared by run and table: how many rows, and the sum
of their hashes, which no order of rows changes. Runs whose log grew meanwhile are left out.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
from filelock import FileLock

from runner.errors import RunnerError
from runner.store.ingest import ingest
from runner.store.tables import TABLES
from runner.store.working import PUBLISHED, fault, quoted

REBUILD = "`runner store rebuild` makes the database again from the logs"
COMPARED = (*(name for name in TABLES if name != "offsets"), "summaries")
ASIDE = ".check"  # the folder where the logs are read anew


class Difference(NamedTuple):
    """Something that is not as the logs say: of a run, in a table, and what to do about it."""

    run: str
    table: str
    what: str
    hint: str


class Checked(NamedTuple):
    """What was compared, in numbers, and what differed."""

    runs: int
    tables: int
    rows: int
    growing: int
    unreadable: int
    differences: tuple[Difference, ...]


def check(results: Path, *, files: bool = False) -> Checked:
    """Compare database and logs; with `files` also the contents of all that runs left, by hash.

    A database that cannot be read is a difference. RunnerError where nothing can be said: one that another program
    holds, or a disk that is full.
    """
    try:
        ingest(results)
        with beside(results) as con:
            return compared(con, results, files=files)
    except duckdb.Error as error:
        return unreadable(fault(results / PUBLISHED, error))
    except RunnerError as error:
        return unreadable(error)


def unreadable(error: RunnerError) -> Checked:
    """What there is to say of a database that only a rebuild mends; any other error is raised."""
    if "store rebuild" not in error.hint:
        raise error
    return Checked(0, 0, 0, 0, 0, (Difference("", "", error.message, error.hint),))


@contextmanager
def beside(results: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published database as `index`, and as `logs` one that is made of the logs, for as long as this lasts."""
    again = results / ASIDE
    with FileLock(results / f"{ASIDE}.lock"):
        shutil.rmtree(again, ignore_errors=True)  # a kill left it
        try:
            again.mkdir()
            (results / "runs").mkdir(exist_ok=True)
            (again / "runs").symlink_to((results / "runs").absolute(), target_is_directory=True)
            ingest(again)
            with duckdb.connect() as con:
                for name, folder in {"index": results, "logs": again}.items():
                    con.execute(f"ATTACH '{quoted(folder / PUBLISHED)}' AS {name} (READ_ONLY)")
                yield con
        finally:
            shutil.rmtree(again, ignore_errors=True)


def compared(con: duckdb.DuckDBPyConnection, results: Path, *, files: bool) -> Checked:
    """The two databases side by side."""
    growing = {run for (run,) in con.execute(GROWING).fetchall()}
    found, rows = [], 0
    for name in COMPARED:
        for run, one, other, same in con.execute(SIDES.format(table=name)).fetchall():
            rows += other
            if run not in growing and not same:
                what = f"{one:,} rows, the log has {other:,}" if one != other else f"{one:,} rows, not those of the log"
                found.append(Difference(run, name, what, REBUILD))
    for run, readable in con.execute(MISSING).fetchall():
        what = "rows of a run whose log is gone" if readable else "a log that the database does not know"
        found.append(Difference(run, "", what, REBUILD))
    found += left(con, results, files=files)
    runs, bad = con.execute(
        "SELECT (SELECT count(*) FROM logs.offsets), (SELECT count(*) FROM logs.bad_lines)"
    ).fetchall()[0]
    return Checked(runs, len(COMPARED), rows, len(growing), bad, tuple(sorted(found)))


GROWING = "SELECT run FROM logs.offsets l JOIN index.offsets i USING (run) WHERE l.position <> i.position"
SUMMED = "SELECT run, count(*) AS n, sum(hash(t)::HUGEINT) AS said FROM {place}.{{table}} t GROUP BY run"
SIDES = f"""
    SELECT coalesce(i.run, l.run), coalesce(i.n, 0), coalesce(l.n, 0), i.said IS NOT DISTINCT FROM l.said
    FROM ({SUMMED.format(place="index")}) i FULL JOIN ({SUMMED.format(place="logs")}) l ON i.run = l.run
"""
MISSING = """
    SELECT coalesce(i.run, l.run), l.run IS NULL FROM index.offsets i FULL JOIN logs.offsets l ON i.run = l.run
    WHERE i.run IS NULL OR l.run IS NULL
"""
ARTIFACTS = "SELECT run, name, sha256, bytes FROM logs.artifacts ORDER BY run, name"


def left(con: duckdb.DuckDBPyConnection, results: Path, *, files: bool) -> Iterator[Difference]:
    """Files of models that are no longer as they were; a model that is gone as a whole was removed on purpose."""
    for run, name, sha256, size in con.execute(ARTIFACTS).fetchall():
        model = results / "runs" / run / "model"
        if model.is_dir() and (what := changed(model / name, size, sha256 if files else "")):
            yield Difference(run, "artifacts", f"`{name}` {what}", f"copy `{model}` from a backup, or train again")


def changed(file: Path, size: int | None, sha256: str) -> str:
    """What happened to a file, or nothing; its content counts where a hash is given."""
    try:
        if size is not None and file.stat().st_size != size:
            return f"has {file.stat().st_size:,} bytes, not {size:,}"
        return "has another content" if sha256 and digest(file) != sha256 else ""
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def digest(file: Path) -> str:
    """The hash of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
