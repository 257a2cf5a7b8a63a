"""The log of one run, `<results>/runs/<run>/log.jsonl`: the truth, of which the database is an index.

A record is one line of strict JSON, written by one unbuffered append. Nothing here knows DuckDB.
"""

from __future__ import annotations

import errno
import json
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runner.errors import RunnerError

NAME = "log.jsonl"


class Log:
    """Appends the records of one attempt of a run; the attempts of a run share one file.

    Promises: `write` never raises because of the disk; it keeps the first fault in `broken` and says it once on
    stderr. A record is whole in the file, or torn and followed by a newline before the next one. Threads may share it.
    """

    def __init__(self, run_folder: Path, run: str, attempt: int, clock: Callable[[], float] = time.time) -> None:
        """Opens the log, and makes the folder where it is missing; the clock gives unix seconds."""
        self.run, self.attempt = run, attempt
        self.broken: str | None = None
        self._path = run_folder / NAME
        self._clock = clock
        self._lock = threading.RLock()
        try:
            run_folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._torn = _ends_torn(self._file)
        except OSError as error:
            raise RunnerError(f"cannot open the log `{self._path}`: {error.strerror}") from error

    def write(self, event: str, /, **fields: Any) -> None:
        """Appends one record with event, run, attempt and time (unix seconds); the start of a run names its process."""
        record = {"event": event, "run": self.run, "attempt": self.attempt, "time": self._clock()}
        if event == "run_started":
            record |= {"pid": os.getpid(), "host": socket.gethostname()}
        line = encode(record | fields).encode() + b"\n"
        with self._lock:
            self._append(b"\n" + line if self._torn else line)

    def close(self) -> None:
        """Closes the file; a later `write` only marks the log as broken."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1

    def _append(self, line: bytes) -> None:
        done = 0
        try:
            while done < len(line):
                written = os.write(self._file, line[done:])
                if not written:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                done += written
        except OSError as error:
            self._torn = self._torn or done > 0
            self._report(error)
        else:
            self._torn = False

    def _report(self, error: OSError) -> None:
        if self.broken is None:
            self.broken = f"{error.strerror} (`{self._path}`)"
            print(f"warning: the log of run `{self.run}` misses records: {self.broken}", file=sys.stderr)


def read(run_folder: Path) -> Iterator[dict[str, Any]]:
    """The records of a run in the order of writing, without torn or malformed lines; an absent log has none.

    Non-finite numbers come as the strings "NaN", "Infinity" and "-Infinity", which `float` understands.
    """
    path = run_folder / NAME
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            record = _decoded(line)
            if record is not None:
                yield record


def attempts(run_folder: Path) -> int:
    """The highest attempt that the log knows, 0 for a run that never began."""
    found = (record.get("attempt") for record in read(run_folder))
    return max((attempt for attempt in found if isinstance(attempt, int)), default=0)


def encode(value: Any) -> str:
    """Strict JSON on one line: non-finite floats as strings, numpy scalars as numbers, paths as text."""
    try:
        return _ENCODER.encode(value)
    except ValueError:
        return _ENCODER.encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else json.dumps(value)
    return value if value is None or isinstance(value, str | int) else _finite(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if callable(getattr(value, "item", None)):
        return value.item()
    raise TypeError(f"a log record cannot hold a {type(value).__name__}: {value!r}")


_ENCODER = json.JSONEncoder(default=_plain, allow_nan=False, separators=(",", ":"))


def _ends_torn(file: int) -> bool:
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def _decoded(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
