"""Seen: what logs and database looked like when they were last read, so that unchanged ones are not opened.

It is remembered in a file beside the database, which may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.store.log import NAME
from runner.store.migrations import fingerprint
from runner.store.working import PUBLISHED, WORKING, stamp

FILE = ".ingest.seen"
SETTLED = 2.0  # seconds; a file that was written to more recently may change and keep its times


@dataclass(frozen=True)
class Seen:
    """`logs` has a stamp for each run, empty where it tells nothing yet; `open` is whether an attempt here may die."""

    program: str = ""
    working: list[int] | None = None
    published: list[int] | None = None
    open: bool = True
    logs: dict[str, str] = field(default_factory=dict)

    def same(self, now: Seen) -> bool:
        """Whether nothing happened since."""
        return self == now and not self.open and all(self.logs.values())

    def changed(self, now: Seen) -> list[str]:
        """Runs whose logs must be looked at; all of them where the database is another one."""
        before = self.logs if (self.program, self.working) == (now.program, now.working) else {}
        return sorted(run for run, stamp in now.logs.items() if not stamp or before.get(run) != stamp)


def unchanged(results: Path) -> bool:
    """Whether logs, database and program are those of the last time, and nothing must be looked at anyway."""
    before = recall(results)
    return not before.open and before.same(look(results, waiting=False))


def look(results: Path, waiting: bool) -> Seen:
    """What logs and database look like."""
    working, published = (found and [*found] for found in (stamp(results / WORKING), stamp(results / PUBLISHED)))
    return Seen(fingerprint(), working, published, waiting, logs(results))


def logs(results: Path) -> dict[str, str]:
    """The stamps of all logs, as they are now."""
    found, now = {}, time.time_ns()
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(results / "runs") as entries:
        for entry in entries:
            with suppress(FileNotFoundError, NotADirectoryError):
                at = os.stat(f"{entry.path}/{NAME}")
                late = now - max(at.st_mtime_ns, at.st_ctime_ns) < SETTLED * 1e9
                found[entry.name] = "" if late else f"{at.st_size}.{at.st_mtime_ns}.{at.st_ctime_ns}.{at.st_ino}"
    return found


def recall(results: Path) -> Seen:
    """What was remembered; nothing where the file is missing or no longer whole."""
    try:
        return Seen(**json.loads((results / FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return Seen()


def remember(results: Path, seen: Seen) -> None:
    """Remember for the next time; where that is impossible, the next one reads more."""
    temporary = results / f"{FILE}.part"
    with suppress(OSError):
        temporary.write_text(json.dumps(vars(seen)))
        temporary.replace(results / FILE)
