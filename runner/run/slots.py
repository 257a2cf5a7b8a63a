"""Slots: the shares of this machine that the workers of a grid get."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from runner.spec.tables import Execute


class Slot(NamedTuple):
    """Threads of a processor, and a GPU where there are some."""

    number: int
    threads: int
    gpu: str | None


def slots(execute: Execute) -> list[Slot]:
    """One for each worker: its part of the cores, and the GPUs in turns."""
    threads = execute.threads or max(cores() // execute.workers, 1)
    cards = [] if execute.accelerator == "cpu" else gpus()
    return [Slot(at, threads, cards[at % len(cards)] if cards else None) for at in range(execute.workers)]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> list[str]:
    """The GPUs that CUDA may use, by the names it knows."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    if told is not None:
        return [each.strip() for each in told.split(",") if each.strip()]
    return sorted(each.name.removeprefix("nvidia") for each in Path("/dev").glob("nvidia[0-9]*"))


def resident(group: int) -> int:
    """Bytes of memory that the processes of a group hold, as far as the system tells."""
    page, total = os.sysconf("SC_PAGE_SIZE"), 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            total += int(fields[21]) * page if int(fields[2]) == group else 0
        except (OSError, ValueError, IndexError):
            continue  # it ended just now
    return total
