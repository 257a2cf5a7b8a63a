"""Worker: the process that carries out one trial of a grid, or several over one base; it says how each ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from runner.errors import Interrupted, RunnerError
from runner.run.order import OUTPUT, Ended, Order
from runner.run.signals import STOP

Told = Callable[[str, Ended], None]
# What takes seconds to import, and forked processes then share.
WARM = ["torch", "lightning.pytorch", "transformers.modeling_utils", "peft", "runner.train.fit", "runner.run.trial"]


def worker(orders: tuple[Order, ...], line: Connection) -> None:
    """The whole life of the process; it saves its states and leaves when nobody is there any more."""
    os.setsid()  # what it starts ends with it, and a terminal's Ctrl-C is for the coordinator
    output(orders[0].folder)
    if orders[0].gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = orders[0].gpu
    stops = events(orders)
    for number in STOP:
        signal.signal(number, partial(leave, stops))
    threading.Thread(target=heed, args=(line, stops), daemon=True).start()
    work(orders, stops, lambda run, ended: line.send((run, ended)))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def output(folder: Path) -> None:
    """Send what is printed to a file of the run."""
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(file, number)
    os.close(file)


def heed(line: Connection, stops: Mapping[str, threading.Event]) -> None:
    """Save and leave when the coordinator asks for it, or is gone."""
    try:
        while True:
            stops[line.recv()].set()
    except (EOFError, OSError):
        leave(stops)


def leave(stops: Mapping[str, threading.Event], *_: Any) -> None:
    """Let all trials save and leave; a signal may ask for it too."""
    for stop in stops.values():
        stop.set()


def events(orders: Sequence[Order]) -> dict[str, threading.Event]:
    """By run what ends its trial, its state saved."""
    return {order.run: threading.Event() for order in orders}


def work(orders: Sequence[Order], stops: Mapping[str, threading.Event], told: Told) -> None:
    """Carry out one order, or several over one base; `told` hears how each ended as soon as it has."""
    if len(orders) == 1:
        (order,) = orders
        told(order.run, carried_out(order, stop=stops[order.run]))
        return
    from runner.run.joined import joined

    joined(orders, stops, told)


def carried_out(order: Order, **how: Any) -> Ended:
    """Do the trial; how it ended. `how` it is done otherwise than alone, see `experiment.run`."""
    from runner.run.experiment import Busy, run

    try:
        import torch

        torch.set_num_threads(order.threads)
        plan, trial = same(order)
        run(plan, trial, order.results, **({"show": True} | how))
    except Busy as error:
        return Ended("busy", error.message, error.hint)
    except Interrupted as error:
        return Ended("interrupted", error.message, error.hint)
    except RunnerError as error:
        return Ended("failed", error.message, error.hint)
    except BaseException as error:
        traceback.print_exception(error)
        return Ended("failed", f"{type(error).__name__}: {error}", f"`runner show {order.run}`", is_short(error))
    return Ended("finished")


def same(order: Order) -> tuple[Any, Any]:
    """The trial as this process finds it; RunnerError where it has become another one."""
    from runner.run.experiment import prepared

    trials = prepared(order.spec, order.results, sets=order.sets, point=order.point, begun=order.kept)
    for entry in trials.entries:
        if entry.trial.key == order.key:
            return entry.plan, entry.trial
    raise RunnerError(
        f"`{order.spec}` or its data changed while its grid ran, so `{order.run}` is no part of it any more",
        "run the spec again",
    )


def is_short(error: BaseException) -> bool:
    """Whether memory was short; torch has a class of its own for GPUs and says it in words elsewhere."""
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "can't allocate" in str(error)
