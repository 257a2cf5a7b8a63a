"""The working file and its published copy: who may write, who holds it, what is wrong with it."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from runner.errors import RunnerError
from runner.store import processes
from runner.store.migrations import migrate

WORKING = "store.duckdb"
PUBLISHED = "results.duckdb"
BLOCK = 64 * 2**10  # bytes; each table takes at least one, and most tables are small


@contextmanager
def locked(results: Path) -> Iterator[None]:
    """One ingester at a time; the folder is made where it is missing."""
    from filelock import FileLock

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
            if not path.exists():
                create(path)
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


def create(path: Path) -> None:
    """A new database, of small blocks, renamed into place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.unlink(missing_ok=True)
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{quoted(temporary)}' AS new (BLOCK_SIZE {BLOCK})")
    temporary.replace(path)


def quoted(path: Path) -> str:
    """A path between quotes of SQL."""
    return str(path).replace("'", "''")


def holder(message: str) -> str:
    """Who holds the file, from DuckDB's message and the process table."""
    found = re.search(r"PID (\d+)", message)
    if not found:
        return "another program"
    pid = int(found[1])
    return f"process {pid} (`{processes.title(pid) or 'unknown'}`)"


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
