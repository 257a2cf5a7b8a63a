"""A worker whose trial takes no time: what is left is the coordinator."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from typing import Any

from runner.run.order import Ended


def instant(orders: Any, line: Connection) -> None:
    """Say that it is finished, and leave."""
    line.send((orders[0].run, Ended("finished")))
    os._exit(0)
