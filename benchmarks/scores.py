"""Test scores of specs over their seeds: mean, spread, t-interval, and the difference to the first spec seed by seed.

The difference has its own t-interval, and the p of the paired t-test.

Runs what is not finished yet. The intervals are Student's over seeds; what the choice of test rows adds, stands in the
bootstrap intervals of each run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from _pairs import parser

from runner.evaluate.student import mean

Scores = dict[str, dict[int, float]]


def measured(spec: Path, results: Path) -> tuple[Scores, dict[str, list[float]]]:
    """Score by "task metric" and seed of the best checkpoint, and those of the TF-IDF baseline, on test."""
    command = [sys.executable, "-m", "runner", "run", str(spec), "--json", "--results", str(results)]
    runs = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    best: Scores = {}
    plain: dict[str, list[float]] = {}
    for seed, run in enumerate(runs):
        for each in run["scores"]:
            name = f"{each['task']} {each['metric']}"
            if each["split"] == "test" and each["model"] == "best":
                best.setdefault(name, {})[seed] = each["value"]
            elif each["split"] == "test" and each["model"] == "tfidf":
                plain.setdefault(name, []).append(each["value"])
    return best, plain


def compared(specs: list[Path], results: Path) -> list[dict[str, Any]]:
    """A row for each spec and metric."""
    found = [measured(spec, results) for spec in specs]
    first = found[0][0]
    rows = []
    for spec, (best, plain) in zip(specs, found, strict=True):
        for name, by_seed in best.items():
            values = list(by_seed.values())
            over = mean(values)
            row = {"spec": spec.stem, "score": name, "seeds": over.n}
            row |= {"mean": over.value, "low": over.low, "high": over.high}
            row |= {"tfidf": float(np.mean(plain[name])) if name in plain else None}
            if best is not first and by_seed.keys() == first.get(name, {}).keys():
                gap = mean([value - first[name][seed] for seed, value in by_seed.items()])
                row |= {"difference": (gap.value, gap.low, gap.high), "p": gap.p}
            rows.append(row)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown."""
    told = ["| spec | score | seeds | mean | interval | tf-idf | against the first |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        plain = "" if row["tfidf"] is None else f"{row['tfidf']:.3f}"
        against = (
            "{:+.3f} ({:+.3f} to {:+.3f}, p {:.2f})".format(*row["difference"], row["p"]) if "difference" in row else ""
        )
        told.append(
            f"| {row['spec']} | {row['score']} | {row['seeds']} | {row['mean']:.3f} | "
            f"{row['low']:.3f} to {row['high']:.3f} | {plain} | {against} |"
        )
    return "\n".join(told)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("specs", nargs="+", type=Path, help="specs, TOML files")
    options.add_argument("--results", type=Path, default=Path("results"), help="folder of runs")
    chosen = options.parse_args()
    rows = compared(chosen.specs, chosen.results)
    print(json.dumps(rows, indent=2) if chosen.json else table(rows))


if __name__ == "__main__":
    main()
