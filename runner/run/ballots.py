"""Ballots: what people said of answers as lines of JSON, to keep elsewhere, hand on, and take in again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from runner.errors import RunnerError, nearest
from runner.run.reviewing import SCALE, VERDICTS
from runner.run.work import folder_of
from runner.store.log import Log, attempts, encode
from runner.store.query import query

NEEDED = ("run", "id", "reviewer", "criterion")
WORDS = ("run", "other", "task", "split", "id", "reviewer", "criterion", "verdict", "note")
FIELDS = (*WORDS, "value", "seconds", "time")
ALL = """
    SELECT run, other, task, split, id, reviewer, criterion, verdict, value, note, seconds, epoch(time) AS time
    FROM reviews WHERE len($runs) = 0 OR list_contains($runs, run) ORDER BY ALL
"""


def export(results: Path, runs: Sequence[str], file: Path) -> int:
    """Write all that was said of some runs, or of all; how many judgements that is."""
    rows = query(results, ALL, {"runs": [*runs]}).to_pylist()
    file.write_text("".join(encode(row) + "\n" for row in rows), encoding="utf-8")
    return len(rows)


def take(results: Path, file: Path) -> tuple[int, int]:
    """Record the judgements of a file; how many were new, and how many were known.

    Nothing is recorded where a line is wrong: RunnerError names the first such lines, and what is wrong with them.
    """
    runs = {row["run"] for row in query(results, "SELECT run FROM runs").to_pylist()}
    found = [*lines(file, runs)]
    wrong = [each for each in found if isinstance(each, str)]
    if wrong:
        more = f"\n  and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise RunnerError(
            f"{len(wrong)} lines of `{file}` are no judgements\n  " + "\n  ".join(wrong[:5]) + more,
            f"a line is a JSON object with {', '.join(FIELDS)}",
        )
    known = {key(row) for row in query(results, ALL, {"runs": []}).to_pylist()}
    fresh = [row for row in found if isinstance(row, dict) and key(row) not in known]
    for row in fresh:
        put(results, row)
    return len(fresh), len(found) - len(fresh)


def lines(file: Path, runs: set[str]) -> Iterator[dict[str, Any] | str]:
    """Each line as a judgement, or what is wrong with it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunnerError(f"cannot read `{file}`: {error}", "name a file of JSON lines") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found = judgement(line, runs)
            yield f"line {number}: {found}" if isinstance(found, str) else found


def judgement(line: str, runs: set[str]) -> dict[str, Any] | str:
    """A line as a judgement, or what is wrong with it."""
    try:
        row = json.loads(line)
    except ValueError as error:
        return f"no JSON: {error}"
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in NEEDED):
        return f"it needs texts for {', '.join(NEEDED)}"
    for name in ("run", "other"):
        run = row.get(name) or ""
        if run not in runs and (run or name == "run"):
            near = nearest(run, runs)
            return f"no run `{run}`" + (f", did you mean `{near}`?" if near else "")
    return row if sound(row) else f"`verdict` is one of {', '.join(VERDICTS)}, or `value` from {SCALE[0]} to {SCALE[1]}"


def sound(row: dict[str, Any]) -> bool:
    """Whether it says one thing: which of two is better, or how good one is."""
    value = row.get("value")
    if row.get("other"):
        return value is None and row.get("verdict") in VERDICTS and row["run"] < row["other"]
    if row.get("verdict") or not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return SCALE[0] <= value <= SCALE[1]


def key(row: dict[str, Any]) -> tuple[Any, ...]:
    """What makes two judgements the same."""
    return (*(row.get(name) or "" for name in WORDS[:8]), row.get("value"))


def put(results: Path, row: dict[str, Any]) -> None:
    """Record one in the log of its run, at the time when it was made if that is known."""
    folder = folder_of(results, row["run"])
    time = row.get("time")
    clock = {"clock": lambda: float(time)} if isinstance(time, int | float) and 0 <= time < 2**33 else {}
    log = Log(folder, row["run"], max(attempts(folder), 1), **clock)
    words = {name: row.get(name) or "" for name in WORDS[1:]}
    log.write("review", **words, value=row.get("value"), seconds=row.get("seconds"))
    log.close()
