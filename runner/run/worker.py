"""Worker: the process that carries out one trial of a grid; it gets an order and says how it ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from runner.errors import Interrupted, RunnerError

OUTPUT = "output.txt"  # what a trial prints, in the folder of its run
# What takes seconds to import, and forked processes then share.
WARM = ["torch", "lightning.pytorch", "transformers.modeling_utils", "peft", "runner.train.fit", "runner.run.trial"]


@dataclass(frozen=True)
class Order:
    """What a worker must know: nothing that it can read for itself.

    Whether activations of frozen layers are `kept` follows from all trials of a grid, and a worker knows its own.
    """

    spec: Path
    results: Path
    sets: tuple[tuple[str, Any], ...]
    point: Mapping[str, Any]
    run: str
    key: str
    threads: int
    gpu: str | None
    kept: bool | None = None


class Ended(NamedTuple):
    """How a trial ended: finished, failed, interrupted or busy; what it says, and whether memory was short."""

    state: str
    message: str = ""
    hint: str = ""
    short: bool = False


def worker(order: Order, line: Connection) -> None:
    """The whole life of the process; it saves its state and leaves when nobody is there any more."""
    os.setsid()  # what it starts ends with it, and a terminal's Ctrl-C is for the coordinator
    output(order.results / "runs" / order.run)
    if order.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = order.gpu
    threading.Thread(target=heed, args=(line,), daemon=True).start()
    ended = carried_out(order)
    sys.stdout.flush()
    sys.stderr.flush()
    line.send(ended)
    os._exit(0)


def output(folder: Path) -> None:
    """Send what is printed to a file of the run."""
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(file, number)
    os.close(file)


def heed(line: Connection) -> None:
    """Ask this process to save and leave when the coordinator is gone."""
    try:
        line.recv()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)


def carried_out(order: Order) -> Ended:
    """Do the trial; how it ended."""
    from runner.run.experiment import Busy, run

    try:
        import torch

        torch.set_num_threads(order.threads)
        plan, trial = same(order)
        run(plan, trial, order.results, show=True)
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
