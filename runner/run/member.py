"""Member: what one of the processes does that train a run together; it gets its part and says how it ended."""

from __future__ import annotations

import os
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from runner.errors import Interrupted, RunnerError
from runner.run.work import Work


@dataclass(frozen=True, init=False)
class Part:
    """What a member must know: nothing that it can read for itself."""

    spec: Path
    run: str
    key: str
    results: Path
    attempt: int
    rank: int
    size: int
    meeting: Path
    show: bool

    def __init__(self, work: Work, rank: int, meeting: Path, show: bool) -> None:
        found = {
            "spec": work.checked.spec.file,
            "run": work.trial.run,
            "key": work.trial.key,
            "results": work.folder.parent.parent,
            "attempt": work.log.attempt,
            "rank": rank,
            "size": work.experiment.train.devices,
            "meeting": meeting,
            "show": show and rank == 0,
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)


class Mute:
    """A log that keeps nothing: the first process has said it all."""

    broken = None

    def write(self, event: str, /, **fields: Any) -> None:
        """Says nothing."""


def member(part: Part, line: Connection) -> None:
    """The whole life of the process; it ends with the one that started it."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # it would warn where all weights have gradients
    stop = threading.Event()
    threading.Thread(target=listen, args=(line, stop), daemon=True).start()
    try:
        line.send(fitted(part, stop))
    except BaseException as error:
        line.send(told(error))
    os._exit(0)  # peers that fail must not hold it up


def listen(line: Connection, stop: threading.Event) -> None:
    """Set the event when asked to; end at once when nobody is there any more."""
    try:
        while line.recv():
            stop.set()
    except (EOFError, OSError):
        os._exit(1)


def told(error: BaseException) -> BaseException:
    """The error as it can be sent: others than those for users take their trace along as text."""
    if type(error) in (RunnerError, Interrupted) or isinstance(error, OSError):
        return error
    if isinstance(error, RunnerError):
        return RunnerError(error.message, error.hint, error.step)
    return RuntimeError("".join(traceback.format_exception(error))[-4096:])


def fitted(part: Part, stop: threading.Event) -> int:
    """Fit with the others; the optimizer steps taken."""
    from runner.run.encoding import encoded
    from runner.run.trial import network_of, settle
    from runner.store.log import Log
    from runner.train.fit import fit, quiet

    quiet()
    work = same_work(part)
    settle(work.experiment.execute.threads, part.size)
    streams = encoded(work)
    ranks = joined(part, work)
    log: Any = Log(work.folder, part.run, part.attempt) if part.rank == 0 else Mute()
    given, more = network_of(work, streams)
    _, module, _ = fit(*given, **more, record=log.write, stop=stop, show=part.show, ranks=ranks)
    if log.broken:
        raise RunnerError(f"the log of the run is not whole: {log.broken}", "free some space, then `runner resume`")
    return int(module.taken)


def same_work(part: Part) -> Work:
    """The trial as this process finds it, from the cache; RunnerError where it has become another one."""
    from runner.cache.cache import Cache
    from runner.run.experiment import prepare
    from runner.run.work import folder_of

    plan = prepare(part.spec, part.results)
    trial = next((each for each in plan.trials if each.key == part.key), None)
    if trial is None:
        message = f"`{part.spec}` or its data changed while `{part.run}` began"
        raise RunnerError(message, "leave them alone for a moment, and run it again")
    mute: Any = Mute()
    return Work(plan, trial, folder_of(part.results, part.run), mute, Cache(part.results / "cache"))


def joined(part: Part, work: Work) -> Any:
    """Connect with the others; what they talk over need not be where the tensors are."""
    import torch
    from torch import distributed

    from runner.train.ranks import Ranks

    train, card = work.experiment.train, work.experiment.execute.accelerator != "cpu" and torch.cuda.is_available()
    if os.path.isdir("/sys/class/net/lo"):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # all are on this machine, whatever its name resolves to
    if card:
        torch.cuda.set_device(part.rank)
    distributed.init_process_group(
        "nccl" if card else "gloo", init_method=f"file://{part.meeting}", rank=part.rank, world_size=part.size
    )
    group = distributed.new_group(backend="gloo") if card else None
    return Ranks(part.rank, part.size, train.strategy, group)
