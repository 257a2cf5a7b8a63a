"""A search by Parzen estimators with successive halving against random draws without it, by as many epochs.

The search of `specs/search-banking.toml` is done with a seed of its own in each repeat; then as many random trials,
each trained to its end, as the epochs that it spent pay for. Compared are the best validation score, which the search
sees, and the test score of that run, which it does not.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _pairs import ROOT, data_folder, emit, parser, positive

SPEC = ROOT / "specs" / "search-banking.toml"
EPOCHS = 9  # of a whole trial
SPENT = "SELECT count(DISTINCT (run, epoch)) AS n, count(DISTINCT run) AS runs FROM metrics WHERE split = 'validation'"
BEST = """
    SELECT v.run, v.value AS validation, t.value AS test
    FROM final_scores v JOIN final_scores t ON t.run = v.run AND t.task = v.task AND t.metric = v.metric
    WHERE v.split = 'validation' AND t.split = 'test' AND v.metric = 'macro_f1'
    ORDER BY v.value DESC, v.run LIMIT 1
"""


def written(folder: Path, side: str, seed: int, trials: int) -> Path:
    """The spec of one side."""
    text = SPEC.read_text(encoding="utf-8").replace("../../shared/data", str(data_folder()))
    lines = [line for line in text.splitlines() if not line.startswith("trials = ")]
    if side == "random":
        lines = [line for line in lines if not line.startswith("pruner = ")]
    own = f'[search]\ntrials = {trials}\nsampler = "{side}"\nsampler_seed = {seed}'
    file = folder / f"{side}-{seed}.toml"
    file.write_text("\n".join(lines).replace("[search]", own), encoding="utf-8")
    return file


def done(folder: Path, side: str, seed: int, trials: int) -> dict[str, Any]:
    """What a search found and spent."""
    spec, more = written(folder, side, seed, trials), ["--results", str(folder / f"{side}-{seed}")]
    command = [sys.executable, "-m", "runner"]
    quiet: dict[str, Any] = {"check": True, "cwd": ROOT, "stderr": subprocess.DEVNULL}
    subprocess.run([*command, "run", str(spec), "--json", *more], stdout=subprocess.DEVNULL, **quiet)

    def asked(sql: str) -> dict[str, Any]:
        said = subprocess.run([*command, "query", sql, "--json", *more], stdout=subprocess.PIPE, **quiet)
        found: dict[str, Any] = json.loads(said.stdout)[0]
        return found

    spent, best = asked(SPENT), asked(BEST)
    return {"epochs": spent["n"], "trials": spent["runs"], **{name: best[name] for name in ("validation", "test")}}


def repeat(folder: Path, seed: int, trials: int) -> dict[str, dict[str, Any]]:
    """Both sides of one repeat."""
    ours = done(folder, "tpe", seed, trials)
    whole = max(round(ours["epochs"] / EPOCHS), 1)
    return {"tpe": ours, "random": done(folder, "random", seed, whole)}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--repeats", type=positive, default=3, help="searches of each kind")
    options.add_argument("--trials", type=positive, default=18, help="trials of a search with halving")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = [repeat(Path(name), seed, given.trials) for seed in range(1, given.repeats + 1)]
    best = {
        side: {name: statistics.mean(each[side][name] for each in found) for name in ("validation", "test", "epochs")}
        for side in ("tpe", "random")
    }
    emit({"repeats": found, "mean": best}, given.json)


if __name__ == "__main__":
    main()
