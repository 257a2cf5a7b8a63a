"""A worker whose trial takes no time: what is left is the coordinator."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from typing import Any

from runner.run.worker import Ended


def instant(order: Any, line: Connection) -> None:
    """Say that it is finished, and leave."""
    line.send(Ended("finished"))
    os._exit(0)
