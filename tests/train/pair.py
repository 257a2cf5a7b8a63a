"""Two processes that fit together what a test asks of them, many times over, since starting them takes seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

SIZE = 2


class Asked(NamedTuple):
    """One fit: of which network, trained how, from and to which folder."""

    encoder: Path
    folder: Path
    model: dict[str, Any]
    train: dict[str, Any]
    apart: bool = False
    stop_at: int | None = None
    strategy: str | None = None


class Found(NamedTuple):
    """What it recorded, and what stopped it."""

    events: list[dict[str, Any]]
    error: str


def fitted(asked: Asked, ranks: Any) -> Found:
    """Carry it out; states and best weights lie in its folder."""
    from runner.errors import RunnerError
    from runner.kinds import pick
    from runner.train.fit import fit, quiet
    from tests.model.tiny import LABELS, experiment, network, stream

    quiet()
    events: list[dict[str, Any]] = []
    stop = threading.Event()

    def record(kind: str, **fields: Any) -> None:
        events.append(fields)
        if fields["step"] == asked.stop_at:
            stop.set()

    films, held = stream([3 + row * 5 % 9 for row in range(22)], seed=1), stream([4, 6, 5, 9, 3, 4], seed=2)
    train, validation = {"films:text": films}, {"films:text": held}
    if asked.apart:  # each task in rows of its own
        train = {
            name: only(stream([3 + row * 7 % 8 for row in range(14)], name=name, seed=3), task) for name, task in TASKS
        }
        validation = {name: only(stream([4, 6, 5], name=name, seed=4), task) for name, task in TASKS}
    net = network(asked.encoder, **asked.model)
    spec = experiment(
        model=asked.model, **{"batch_size": 4, "epochs": 2, "learning_rate": 1e-3, "accumulate": 2} | asked.train
    )
    spec = spec.model_copy(update={"evaluate": spec.evaluate.model_copy(update={"batch_size": 2})})
    weights = {"mood": [0.5, 1.5], "size": None}
    mixing = pick("mixing", "proportional").model_validate({})
    try:
        fit(
            net, spec, {"train": train, "validation": validation}, LABELS, weights, mixing,
            seed=3, pad_id=0, folder=asked.folder, record=record, stop=stop, show=False, ranks=ranks,
        )  # fmt: skip
    except RunnerError as error:
        return Found(events, error.message)
    return Found(events, "")


TASKS = (("films:text", "mood"), ("books:text", "size"))


def only(rows: Any, task: str) -> Any:
    """A stream with the targets of one task."""
    return replace(rows, targets={task: rows.targets[task]}, values={task: rows.values[task]})


def alone(asked: Asked) -> Found:
    """The same in this process."""
    from runner.train.ranks import ALONE

    return fitted(asked, ALONE)


def serve(rank: int, meeting: str, line: Any) -> None:
    """One of the two."""
    import os

    os.environ |= {"TORCH_CPP_LOG_LEVEL": "ERROR", "GLOO_SOCKET_IFNAME": "lo"}
    import torch
    from torch import distributed

    from runner.train.ranks import Ranks

    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=SIZE)
    while (asked := line.recv()) is not None:
        try:
            line.send(fitted(asked, Ranks(rank, SIZE, asked.strategy)))
        except BaseException as error:
            import traceback

            line.send(Found([], "".join(traceback.format_exception(error))))
            raise


@contextmanager
def pair(folder: Path) -> Iterator[Any]:
    """`fit(asked)` gives what each of the two found."""
    context = get_context("spawn")
    lines = [context.Pipe() for _ in range(SIZE)]
    both = [
        context.Process(target=serve, args=(rank, str(folder / "meeting"), other), daemon=True)
        for rank, (_, other) in enumerate(lines)
    ]
    for each, (_, other) in zip(both, lines, strict=True):
        each.start()
        other.close()

    def fit(asked: Asked) -> list[Found]:
        for line, _ in lines:
            line.send(asked)
        return [line.recv() for line, _ in lines]

    try:
        yield fit
    finally:
        for each, (line, _) in zip(both, lines, strict=True):
            if each.is_alive():
                line.send(None)
            each.join(10)
            each.kill()
