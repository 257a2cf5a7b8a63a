"""Joined: several trials in one process, which share the passes of a frozen base and nothing else.

Each has a thread and is carried out as if alone: its own fit, curve, states, answers and record. Wherever it needs the
vectors of a batch, or has gradients for them, it meets the others; see `meeting` and `model/joint.py`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from runner.run.meeting import Meeting
from runner.run.order import OUTPUT, Order
from runner.run.signals import heard
from runner.run.worker import Told, carried_out, leave


class Arrival(NamedTuple):
    """A network that is ready to train."""

    network: Any


class Room:
    """Answers what is asked in a meeting. All arrive in the same round, before anything else is asked.

    Only here there are several processor threads: OpenMP keeps a pool for each thread that computes, and the pools
    would wait for work by taking the cores from each other.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.joint: Any = None

    def __call__(self, asked: Sequence[Any]) -> Sequence[Any]:
        import torch

        if not isinstance(asked[0], Arrival):
            torch.set_num_threads(self.threads)
            try:
                found: Sequence[Any] = self.joint(asked)
            finally:
                torch.set_num_threads(1)
            return found
        networks = [each.network for each in asked]
        if len(networks) == 1 or not all(network.packed for network in networks):
            return [None] * len(networks)
        from runner.model.joint import Joint

        self.joint = Joint(networks)
        return list(range(len(networks)))


def joined(orders: Sequence[Order], stops: Mapping[str, threading.Event], told: Told) -> None:
    """Carry out all orders; `told` hears how each ended as soon as it has, and `stops` end single ones."""
    meeting = Meeting(Room(orders[0].threads))

    def life(place: int) -> None:
        order = orders[place]
        seat = partial(arrive, meeting, place)
        ended = carried_out(
            replace(order, threads=1), stop=stops[order.run], join=seat, together=len(orders), show=False
        )
        told(order.run, ended)

    for order in orders[1:]:
        order.folder.mkdir(parents=True, exist_ok=True)
        with (order.folder / OUTPUT).open("a", encoding="utf-8") as file:
            print(f"shares its base, and what is printed, with {orders[0].run}", file=file)
    print("together:", *(order.run for order in orders), file=sys.stderr)
    with heard(partial(hear, meeting, stops)):
        meeting.conduct([partial(life, place) for place in range(len(orders))])


def arrive(meeting: Meeting, place: int, network: Any) -> None:
    """Give a network its seat in the joint pass, where there is one."""
    from runner.model.joint import Seat

    number = meeting.ask(place, Arrival(network))
    if number is not None:
        network.seat = Seat(number, partial(meeting.ask, place))


def hear(meeting: Meeting, stops: Mapping[str, threading.Event], *_: Any) -> None:
    """A first signal asks all trials to save and leave, a second one ends them at their next pass."""
    if all(stop.is_set() for stop in stops.values()):
        meeting.broken = KeyboardInterrupt()
    leave(stops)
