"""Signals: who hears them, for as long as something lasts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP = (signal.SIGINT, signal.SIGTERM)
Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def heard(handler: Handler, *numbers: int) -> Iterator[None]:
    """Let a handler hear these signals, by default those that ask to stop. Only the main thread of a process hears any:
    elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers or STOP}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
