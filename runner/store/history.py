"""History: what was asked of the store, in `results/history.jsonl`: one append a question, numbered from 1."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.errors import RunnerError
from runner.store.query import FREE, Limits, query, told

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "history.jsonl"


class Asked(NamedTuple):
    """One question, when it was answered (unix seconds), with how many rows and in how many seconds."""

    number: int
    time: float
    sql: str
    params: dict[str, Any]
    rows: int
    seconds: float


def answered(results: Path, sql: str, params: Mapping[str, Any], limits: Limits = FREE) -> pa.Table:
    """The rows of a statement, which history then knows; one that fails is not kept."""
    began = time.monotonic()
    found = query(results, sql, params, limits)
    remember(results, sql, params, found.num_rows, time.monotonic() - began)
    return found


def drawn(results: Path, sql: str, params: Mapping[str, Any], limits: Limits = FREE) -> str:
    """The same as a table for people."""
    began = time.monotonic()
    found, rows = told(results, sql, params, limits)
    remember(results, sql, params, rows, time.monotonic() - began)
    return found


def listed(results: Path) -> pa.Table:
    """The history as rows, the newest last; times are UTC."""
    import pyarrow as pa

    rows = history(results)
    texts = {
        "time": [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(each.time)) for each in rows],
        "sql": [each.sql.strip() for each in rows],
        "params": [json.dumps(each.params) if each.params else None for each in rows],
    }
    numbers = {
        "number": pa.array([each.number for each in rows], pa.int64()),
        "rows": pa.array([each.rows for each in rows], pa.int64()),
        "seconds": pa.array([round(each.seconds, 3) for each in rows], pa.float64()),
    }
    found = numbers | {name: pa.array(values, pa.string()) for name, values in texts.items()}
    return pa.table({name: found[name] for name in ("number", "time", "rows", "seconds", "sql", "params")})


def remember(results: Path, sql: str, params: Mapping[str, Any], rows: int, seconds: float) -> None:
    """Add a question; the answer is there already, so that a full disk is only told."""
    record = {"time": time.time(), "sql": sql, "params": dict(params), "rows": rows, "seconds": seconds}
    line = json.dumps(record, default=str) + "\n"
    try:
        file = os.open(results / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)
    except OSError as error:
        print(f"warning: the question is not in `{results / NAME}`: {error.strerror}", file=sys.stderr)


def history(results: Path) -> list[Asked]:
    """All questions, the oldest first; lines that a full disk or a kill tore are left out but keep their number."""
    try:
        lines = (results / NAME).read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    found = [one(number, line) for number, line in enumerate(lines, 1) if line]
    return [each for each in found if each is not None]


def one(number: int, line: bytes) -> Asked | None:
    """A line as a question; None where it is torn."""
    try:
        record = json.loads(line)
        return Asked(number, *(record[name] for name in Asked._fields[1:]))
    except (ValueError, LookupError, TypeError):
        return None


def again(results: Path, number: int) -> Asked:
    """The question with that number; RunnerError where there is none."""
    known = {each.number: each for each in history(results)}
    if number not in known:
        last = f"the last one is {max(known)}" if known else "nothing was asked yet"
        raise RunnerError(f"no question has the number {number}", f"{last}; `runner query --history` lists them")
    return known[number]
