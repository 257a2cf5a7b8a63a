"""Remote: trials in a process that somebody else's scheduler began; a file in a run's folder asks it to leave."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runner.run.job import Orders
from runner.run.order import OUTPUT, Ended
from runner.run.worker import events, work

LEAVE = "leave"  # a file of this name asks for it
LOOK = 0.5  # seconds between two looks


def remote(orders: Orders, stops: Mapping[str, threading.Event] | None = None) -> dict[str, Ended]:
    """How the trials of some orders ended; whoever sets one of `stops` ends its trial, its state saved."""
    stops = stops or events(orders)
    ended: dict[str, Ended] = {}
    for order in orders:
        order.folder.mkdir(parents=True, exist_ok=True)
        (order.folder / LEAVE).unlink(missing_ok=True)
    with printing(orders[0].folder / OUTPUT), heeding(orders, stops):
        work(orders, stops, ended.__setitem__)
    return ended


def leave(orders: Orders, run: str) -> None:
    """Ask whoever works on a run to leave."""
    for order in orders:
        if order.run == run:
            (order.folder / LEAVE).touch()


@contextmanager
def heeding(orders: Orders, stops: Mapping[str, threading.Event]) -> Iterator[None]:
    """Look whether somebody asks to leave."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            for order in orders:
                if (order.folder / LEAVE).exists():
                    stops[order.run].set()

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        over.set()


@contextmanager
def printing(file: Path) -> Iterator[None]:
    """Send what is printed to a file, for as long as this lasts: the process may be used again."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = [os.dup(number) for number in (1, 2)]
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        for number in (1, 2):
            os.dup2(opened, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in zip((1, 2), before, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.close(opened)
