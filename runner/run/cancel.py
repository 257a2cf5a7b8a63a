"""Cancel: ask the coordinator of a grid, in whatever terminal it runs, to save and stop."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from runner.errors import RunnerError
from runner.store.grids import members


@contextmanager
def coordinating(results: Path, grid: str) -> Iterator[None]:
    """One process at a time coordinates a grid; the file beside its lock says which."""
    lock, told = places(results, grid)
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            told.write_text(str(os.getpid()), encoding="utf-8")
            yield
    except Timeout:
        hint = f"`runner ls --grid {grid} --watch` shows it, `runner cancel {grid}` stops it"
        raise RunnerError(f"`{grid}` is run by another process already", hint) from None


def cancel(results: Path, grid: str) -> str:
    """Stop a grid that runs; what was done. RunnerError for an unknown grid."""
    count = len(members(results, grid))
    lock, told = places(results, grid)
    try:
        with FileLock(lock, timeout=0):
            return f"`{grid}` is not running; of its {count} trials nothing was changed"
    except Timeout:
        os.kill(int(told.read_text(encoding="utf-8")), signal.SIGTERM)
        return f"`{grid}` was asked to stop: trials at work save their state; `runner run` goes on from there"


def places(results: Path, grid: str) -> tuple[Path, Path]:
    """The lock of a grid, and the file with its process."""
    return results / "grids" / f"{grid}.lock", results / "grids" / f"{grid}.pid"
