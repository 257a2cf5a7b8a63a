"""New lines of one log -> rows of tables; a line that cannot be read becomes a row of `bad_lines`."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from runner.store import records

HEAD = 256  # bytes whose hash tells a log that was replaced
CHUNK = 64 * 2**20  # bytes of one log read at once


@dataclass
class Fresh:
    """New rows by table, each with the order of its record, so that later records replace earlier ones."""

    rows: dict[str, list[tuple[int, tuple[Any, ...]]]] = field(default_factory=dict)
    ends: list[tuple[str, int, int, float | None, str]] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)
    count: int = 0

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        self.rows.setdefault(table, []).append((self.count, row))


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
