"""`runner cache ls` and `gc`: what the cache holds and what was cleared away, for people and machines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.cache.entries import Contents, Entry, ago, in_use, rank, words
from runner.cache.gc import NOTES, Collected, Removed
from runner.cache.gc import gc as collect
from runner.errors import RunnerError
from runner.run.aligned import aligned

UNITS = {"h": 3600, "d": 86_400, "w": 604_800}  # seconds


def facts(folder: Path) -> dict[str, Any]:
    """Every entry with its use, and sums by stage, as JSON-compatible values."""
    contents = Contents(folder)
    used = in_use(folder, contents.entries)
    entries = [{**facts_of(each, contents), "in_use": each.folder in used} for each in contents.entries]
    stages: dict[str, dict[str, int]] = {}
    for each in contents.entries:
        sums = stages.setdefault(each.stage, {"entries": 0, "bytes": 0})
        sums["entries"] += 1
        sums["bytes"] += each.bytes
    notes = sum(1 for kind in NOTES for _ in (folder / kind).glob("*"))
    total = sum(each.bytes for each in contents.entries)
    return {"folder": str(folder), "entries": entries, "stages": stages, "notes": notes, "bytes": total}


def facts_of(entry: Entry, contents: Contents) -> dict[str, Any]:
    """One entry."""
    return {
        "stage": entry.stage,
        "key": entry.key,
        "from": words(entry, contents),
        "files": contents.files(entry),
        "splits": contents.splits(entry),
        "rows": entry.rows,
        "bytes": entry.bytes,
        "created": moment(entry.created),
        "used": moment(entry.used),
        "damaged": entry.damaged,
    }


def text(found: dict[str, Any]) -> str:
    """The same as a table, with the sum below each stage."""
    if not found["entries"]:
        return f"nothing is cached in `{found['folder']}`"
    lines: list[tuple[str, ...]] = [("stage", "key", "rows", "size", "built", "used", "in use", "from")]
    for stage, sums in found["stages"].items():
        own = [each for each in found["entries"] if each["stage"] == stage]
        lines += [row(each) for each in own]
        lines.append((stage, "", "", sized(sums["bytes"]), "", "", "", f"{sums['entries']} in all"))
    total = (
        f"{len(found['entries'])} entries, {sized(found['bytes'])}, and {found['notes']} notes in `{found['folder']}`"
    )
    return "\n".join([*aligned(lines, gap=1), total])


def row(each: dict[str, Any]) -> tuple[str, ...]:
    """An entry as cells."""
    rows = "" if each["rows"] is None else f"{each['rows']:,}"
    built, used = (ago(datetime.fromisoformat(each[name]).timestamp()) for name in ("created", "used"))
    return each["stage"], each["key"][:8], rows, sized(each["bytes"]), built, used, "yes" * each["in_use"], each["from"]


def gc(folder: Path, max_size: str, older_than: str, *, dry_run: bool) -> Collected:
    """Clear up; limits as people write them, such as "5GB" and "30d", empty for none."""
    return collect(
        folder,
        bytes_of(max_size) if max_size else None,
        seconds_of(older_than) if older_than else None,
        dry_run=dry_run,
    )


def collected(done: Collected, *, dry_run: bool) -> str:
    """What a collection did, in words."""
    verb = "would remove" if dry_run else "removed"
    entries = [each for each in done.removed if each.what == "entry"]
    lines = aligned(table(entries, verb), gap=1) if entries else []
    others = Counter(f"{each.what}: {each.why}" for each in done.removed if each.what != "entry")
    lines += [f"{verb} {count} × {name}" for name, count in sorted(others.items())]
    freed = sum(each.bytes for each in done.removed)
    lines.append(f"{verb} {sized(freed)} in all; entries of {sized(done.left)} {'would stay' if dry_run else 'stay'}")
    if done.spared:
        lines.append(f"{done.spared} more would have gone, but are in use")
    return "\n".join(lines)


def table(entries: Sequence[Removed], verb: str) -> list[tuple[str, ...]]:
    """Entries that went as `ls` shows them, with why, and the sum below each stage."""
    lines: list[tuple[str, ...]] = [("stage", "key", "rows", "size", "why", "from")]
    for stage in sorted({stage_of(each) for each in entries}, key=rank):
        own = [each for each in entries if stage_of(each) == stage]
        for each in own:
            rows = "" if each.rows is None else f"{each.rows:,}"
            lines.append((stage, each.name.rpartition("/")[2][:8], rows, sized(each.bytes), each.why, each.source))
        lines.append((stage, "", "", sized(sum(each.bytes for each in own)), "", f"{verb} {len(own)}"))
    return lines


def stage_of(entry: Removed) -> str:
    """The stage of an entry that went."""
    return entry.name.partition("/")[0]


def facts_gc(done: Collected, *, dry_run: bool) -> dict[str, Any]:
    """The same as JSON-compatible values."""
    removed = [each._asdict() for each in done.removed]
    return {"dry_run": dry_run, "removed": removed, "left_bytes": done.left, "in_use": done.spared}


def bytes_of(written: str) -> int:
    """The bytes that somebody means by "500MB", "5 GB" or "1.5GiB"."""
    from pydantic import ByteSize, TypeAdapter, ValidationError

    try:
        return int(TypeAdapter(ByteSize).validate_python(written))
    except ValidationError:
        raise RunnerError(f"`{written}` is no size", "write such as 500MB, 5GB or 1.5GiB") from None


def seconds_of(written: str) -> float:
    """The seconds that somebody means by "30d" or "12h"."""
    found = re.fullmatch(r"\s*([0-9]{1,6})\s*([hdw])\s*", written)
    if found is None:
        raise RunnerError(
            f"`{written}` is no age", "write a number with h, d or w for hours, days or weeks, such as 30d"
        )
    return float(found[1]) * UNITS[found[2]]


def sized(bytes: int) -> str:
    """A size that people can read."""
    from pydantic import ByteSize

    return ByteSize(bytes).human_readable(decimal=True)


def moment(seconds: float) -> str:
    """A time in UTC, as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
