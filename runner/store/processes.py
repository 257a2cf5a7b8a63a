"""What this machine says about a process: whether it still runs, and what it is called."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_SLACK = 60.0  # seconds; the boot time moves with corrections of the clock


def runs(pid: int, since: float) -> bool:
    """Whether the process `pid` of this machine runs and began before `since` (unix seconds): ids are used again."""
    try:
        with suppress(PermissionError):  # then it runs, as somebody else
            os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    fields = _stat(pid)
    if not fields:
        return True
    return fields[0] not in ("Z", "X") and _began(int(fields[19])) <= since + _SLACK


def title(pid: int) -> str:
    """The command line of a process, at most 80 characters; empty where it cannot be read."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return b" ".join(words).decode(errors="replace").strip()[:80]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; none on a machine without /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _began(ticks: int) -> float:
    """Unix seconds of a moment given in clock ticks after boot."""
    boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    return float(boot.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
