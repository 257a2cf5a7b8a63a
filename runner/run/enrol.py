"""Enrol: which runs a grid consists of, written to their logs before the first of them begins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.plan.trials import Trials
from runner.run.work import folder_of
from runner.store.log import Log
from runner.train.state import replace_text


def enrol(trials: Trials, results: Path, names: dict[str, str]) -> None:
    """Write each trial's place in the grid to the log of its run, once for a grid that stays the same.

    `names` are the runs that have done a trial already under another name.
    """
    known = results / "grids" / f"{trials.name}.json"
    runs = [names.get(entry.trial.run, entry.trial.run) for entry in trials.entries]
    told = {"key": trials.key, "runs": runs}
    try:
        if json.loads(known.read_bytes()) == told:
            return
    except (OSError, ValueError):
        pass  # nobody has enrolled it yet
    for place, (entry, run) in enumerate(zip(trials.entries, runs, strict=True)):
        member(results, run, trials.name, trials.key, place, dict(entry.point) | {"seed": entry.trial.seed})
    known.parent.mkdir(parents=True, exist_ok=True)
    replace_text(known, json.dumps(told))


def member(results: Path, run: str, grid: str, key: str, place: int, point: Mapping[str, Any]) -> None:
    """Write to the log of a run that it belongs to a grid, and what the grid sets for it."""
    log = Log(folder_of(results, run), run, 0)
    log.write("grid", grid=grid, grid_key=key, position=place, point=point)
    log.close()
