"""New lines of logs -> rows of tables, many logs together; a line that cannot be read becomes a row of `bad_lines`."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from runner.errors import RunnerError
from runner.store import quick, records
from runner.store.points import Points

HEAD = 256  # bytes whose hash tells a log that was replaced
CHUNK = 32 * 2**20  # bytes of one log read at once
BATCH = 32 * 2**20  # bytes of logs whose rows go in together


class Block(NamedTuple):
    """Whole lines of one log, from byte `begin` to `end`; of a log that is another one now they begin at 0.

    There may be `more` behind them.
    """

    run: str
    lines: bytes
    begin: int
    end: int
    head: str
    more: bool


@dataclass
class Fresh:
    """New rows by table, each with the order of its record, so that later records replace earlier ones.

    `ends` has how attempts ended, `offsets` how far each log was read, `anew` the runs whose earlier rows must go.
    """

    points: Points = field(default_factory=Points)
    rows: dict[str, list[tuple[int, tuple[Any, ...]]]] = field(default_factory=dict)
    ends: dict[tuple[str, int], tuple[int, float | None, str]] = field(default_factory=dict)
    offsets: dict[str, tuple[int, str]] = field(default_factory=dict)
    anew: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    count: int = 0
    size: int = 0

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        if table == "metrics":
            self.points.add(*row)
        else:
            self.rows.setdefault(table, []).append((self.count, row))

    def touched(self, *tables: str) -> set[str]:
        """Runs with new rows in these tables."""
        return {row[0] for table in tables for _, row in self.rows.get(table, ())}


def batches(logs: Iterable[Path], known: Mapping[str, tuple[int, str]]) -> Iterator[Fresh]:
    """What is new in logs; `known` has how far each was read, and the hash of its head."""
    fresh, seen = Fresh(), set(known)
    for log in logs:
        for block in blocks(log, *known.get(log.parent.name, (0, ""))):
            if fresh.size >= BATCH or (not block.begin and block.run in fresh.offsets):
                yield fresh
                fresh = Fresh()
            if block.run in seen and block.run not in fresh.offsets:
                (fresh.held if block.begin else fresh.anew).add(block.run)
            seen.add(block.run)
            parse(fresh, block)
    if fresh.offsets:
        yield fresh


def blocks(log: Path, position: int, head: str) -> Iterator[Block]:
    """What is new in one log, piece by piece; a log that vanished meanwhile has nothing new."""
    while True:
        known = position > 0
        try:
            block = take(log, position, head)
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunnerError(f"cannot read `{log}`: {error.strerror}", "make it readable and ask again") from error
        if block.lines or (known and not block.begin):
            yield block
        if not block.more:
            return
        position, head = block.end, block.head


def take(log: Path, position: int, head: str) -> Block:
    """The next whole lines of a log; none where there is nothing new."""
    with log.open("rb") as stream:
        if not continues(stream, position, head):
            position = 0
        stream.seek(position)
        found = stream.read(CHUNK)
        while b"\n" not in found and (rest := stream.read(CHUNK)):
            found += rest
        lines = found[: found.rfind(b"\n") + 1]
        end = position + len(lines)
        head = beginning(stream, end) if lines else head
        return Block(log.parent.name, lines, position, end, head, bool(lines) and len(found) >= CHUNK)


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


def parse(fresh: Fresh, block: Block) -> None:
    """Add the rows of all whole lines; a line that cannot be read becomes a row of `bad_lines`."""
    run, position = block.run, block.begin
    for line in io.BytesIO(block.lines):
        if line.startswith(quick.START) and quick.add(fresh.points, run, line):
            fresh.count += 1
        elif line.strip():
            try:
                understand(fresh, run, loaded(line))
            except (LookupError, TypeError, ValueError, OverflowError, AttributeError, RecursionError) as error:
                start = line[:200].decode(errors="replace").strip()
                reason = f"{type(error).__name__}: {error}".encode(errors="replace").decode()
                fresh.add("bad_lines", (run, position, reason, start))
            fresh.count += 1
        position += len(line)
    fresh.offsets[run] = block.end, block.head
    fresh.size += len(block.lines)


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
        fresh.ends.pop((run, attempt), None)
    elif record["event"] == "run_finished":
        fresh.ends[run, attempt] = when, records.real(record.get("seconds")), str(record.get("state"))
