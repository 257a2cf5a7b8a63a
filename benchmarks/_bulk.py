"""Logs of many runs at once, as training would write them: a grid of settings with five seeds each."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

from runner.store.log import NAME, encode

METRICS = ("loss", "mood.loss", "mood.macro_f1", "mood.accuracy", "learning_rate")
SEEDS = 5
BEGAN = 1_700_000_000.0
FIELDS = {f"train.option_{at}": at for at in range(20)}
PACKAGES = {f"package-{at}": f"{at}.1.0" for at in range(40)}


def write(results: Path, runs: int, steps: int) -> int:
    """The logs of so many runs, each of so many steps with five metrics; the number of points."""
    draw = random.Random(0)
    for number in range(runs):
        folder = results / "runs" / name(number)
        folder.mkdir(parents=True)
        lines = (encode(record) + "\n" for record in records(number, steps, draw))
        (folder / NAME).write_text("".join(lines), encoding="utf-8")
    return runs * steps * len(METRICS)


def name(number: int) -> str:
    """A name as a run would have it."""
    return f"toy-s{seed(number)}-{number:08x}"


def seed(number: int) -> int:
    return 13 + number % SEEDS


def records(number: int, steps: int, draw: random.Random) -> list[dict[str, Any]]:
    """What one run says, from its start to its end."""
    time, setting = BEGAN + 60 * number, number // SEEDS
    shared = {"run": name(number), "attempt": 1}
    said = [{"event": "run_started", **shared, "time": time, **begin(number, setting)}]
    for step in range(steps):
        time += 0.1 + 0.02 * draw.random()
        point = {"step": step, "epoch": step / 370, "split": "train", "values": values(step / max(steps, 1), draw)}
        said.append({"event": "metrics", **shared, "time": time, **point})
    rows = [{"task": "mood", "metric": metric, "value": draw.random(), "n": 100} for metric in ("macro_f1", "accuracy")]
    said.append({"event": "scores", **shared, "time": time, "split": "test", "model": "best", "rows": rows})
    said.append({"event": "run_finished", **shared, "time": time, "state": "finished", "seconds": 0.1 * steps})
    return said


def begin(number: int, setting: int) -> dict[str, Any]:
    """How a run begins: its spec, and the machine."""
    spec = {"name": "toy", "seed": seed(number), "train.learning_rate": 1e-6 * (1 + setting), **FIELDS}
    keys = {"trial_key": f"{number:064x}", "plan_key": "toy", "version": "0", "host": "elsewhere", "pid": 1}
    resolved = {"spec_file": "toy.toml", "spec_text": "", "spec_resolved": spec, "params": spec}
    return {"name": "toy", "seed": seed(number), **keys, **resolved, "environment": {"packages": PACKAGES}}


def values(done: float, draw: random.Random) -> dict[str, float]:
    """Five metrics of one step: curves with noise."""
    falling = math.exp(-3 * done)
    noise = [0.1 * draw.random() for _ in METRICS]
    levels = (2 * falling, falling, 1 - falling, 1 - falling, 0.0)
    found = [level + more for level, more in zip(levels, noise, strict=True)]
    return dict(zip(METRICS, [*found[:-1], 2e-4 * (1 - done)], strict=True))
