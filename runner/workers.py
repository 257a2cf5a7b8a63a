"""Work spread over processes, in order: more workers change the time it takes and nothing else."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from runner.errors import RunnerError

_state: dict[str, Any] = {}


def spread(
    ready: Callable[..., Callable[[Any], Any]], given: tuple[Any, ...], items: Iterable[Any], workers: int
) -> Iterator[Any]:
    """`ready(*given)` applied to each item, results in the order of the items.

    `ready` must be a function of a module; it is called once a process. At most two items a worker are under way.
    """
    if workers < 2:
        yield from map(ready(*given), items)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, initializer=begin, initargs=(ready, given)) as pool:
        waiting: deque[Any] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(do, item))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            message = "a process that prepared data was killed, perhaps for want of memory"
            raise RunnerError(message, "free some memory and try again: what was prepared stays") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def begin(ready: Callable[..., Callable[[Any], Any]], given: tuple[Any, ...]) -> None:
    """Set a worker up: Ctrl-C is its parent's business, and it ends when its parent does."""
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    try:
        _state["do"] = ready(*given)
    except Exception as error:  # an initializer that raises breaks the pool, and nobody learns why
        _state["failed"] = error


def do(item: Any) -> Any:
    """One item in a worker."""
    if "failed" in _state:
        raise _state["failed"]
    return _state["do"](item)


def workers_for(bytes: int) -> int:
    """Processes worth starting for so many bytes of rows; `RUNNER_WORKERS` decides where it is set."""
    chosen = os.environ.get("RUNNER_WORKERS")
    if chosen:
        if not chosen.isdecimal() or int(chosen) < 1:
            hint = "write a whole number, at least 1, or unset it to let the size of the data decide"
            raise RunnerError(f"the environment variable `RUNNER_WORKERS` is `{chosen}`, no number of processes", hint)
        return int(chosen)
    return len(os.sched_getaffinity(0)) if bytes > 16 << 20 else 1
