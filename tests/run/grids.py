"""What tests of grids share: a small grid, a run of it, and all that the store then says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.run.experiment import prepared, run
from runner.run.grid import carry_out
from runner.store.query import query
from tests.conftest import TINY

GRID = '\n[grid]\n"train.learning_rate" = [1e-3, 5e-3]\nseed = [1, 2]\n'
SCORES = "SELECT run, split, model, task, metric, value, low, high, n FROM scores ORDER BY ALL"
CURVES = "SELECT run, step, epoch, split, task, metric, value FROM metrics ORDER BY ALL"


def write(tiny: Path, grid: str = GRID, execute: str = "workers = 2", **changed: str) -> Path:
    """The spec with a grid, a table `[execute]`, and other values of some fields."""
    text = TINY.replace("threads = 1", f"threads = 1\n{execute}")
    for old, new in changed.items():
        text = text.replace(f"{old} = ", f"{old} = {new} # ")
    tiny.write_text(text + grid, encoding="utf-8")
    return tiny


def done(spec: Path, results: Path) -> list[dict[str, Any]]:
    """The results of all trials."""
    return carry_out(prepared(spec, results), results, (), None)


def told(results: Path) -> tuple[list[Any], list[Any]]:
    """All that the store says of scores and curves."""
    return query(results, SCORES).to_pylist(), query(results, CURVES).to_pylist()


def alone(spec: Path, results: Path) -> Path:
    """The results of all trials, one after the other in this process."""
    for entry in prepared(spec, results).entries:
        run(entry.plan, entry.trial, results, show=False)
    return results
