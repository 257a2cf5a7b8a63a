"""Order: what whoever carries out a trial of a grid must know, and what it says when that has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from runner.run.work import folder_of

OUTPUT = "output.txt"  # what a trial prints, in the folder of its run


@dataclass(frozen=True)
class Order:
    """Nothing that a worker can read for itself.

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

    @property
    def folder(self) -> Path:
        """That of the run."""
        return folder_of(self.results, self.run)


class Ended(NamedTuple):
    """How a trial ended: finished, failed, interrupted or busy; what it says, and whether memory was short."""

    state: str
    message: str = ""
    hint: str = ""
    short: bool = False
