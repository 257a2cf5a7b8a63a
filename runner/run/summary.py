"""The last lines of a run: scores with intervals, the model's folder, a query to paste."""

from __future__ import annotations

import math
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from runner.run.aligned import aligned

COLUMNS = ("task", "split", "metric", "score", "interval")
BESIDE = ("majority", "tfidf", "before")

GAPS = ("task", "metric", "score", "alone", "gap", "run")


def summary(result: dict[str, Any], results: Path) -> str:
    """Text for a person."""
    tested = {row["task"] for row in result["scores"] if row["split"] == "test"}
    splits = {row["task"]: "test" if row["task"] in tested else "validation" for row in result["scores"]}
    rows = [row for row in result["scores"] if row["split"] == splits[row["task"]] and "." not in row["metric"]]
    beside = {(row["task"], row["metric"], row["model"]): f"{row['value']:.3f}" for row in rows}
    models = [each for each in BESIDE if any(row["model"] == each for row in rows)]
    table = [
        (
            row["task"],
            row["split"],
            row["metric"],
            f"{row['value']:.3f}",
            f"{row['low']:.3f}–{row['high']:.3f}" if math.isfinite(row["low"]) else "",
            *(beside.get((row["task"], row["metric"], model), "") for model in models),
            str(row["n"]),
        )
        for row in rows
        if row["model"] == "best"
    ]
    again = " (finished before; nothing was trained)" if result.get("again") else f" in {result['seconds']:.0f} s"
    where = "" if results == Path("results") else f" --results {results}"
    asked = "text, gold, predicted, confidence FROM worst_mistakes"
    asked = "model, prompt, gold, text FROM samples" if result.get("writes") else asked
    sql = f"SELECT {asked} WHERE run = '{result['run']}' LIMIT 10"
    return "\n".join(
        [
            f"\n{result['run']}: scores{again}",
            *aligned([(*COLUMNS, *models, "n"), *table], indent=2),
            *compared(result, results),
            f"\nmodel: {result['model']}",
            f'next:  {program()} query{where} "{sql}"',
        ]
    )


def board(grid: str, results: Path, most: int = 20) -> str:
    """The best points of a grid, and where to ask for more."""
    from runner.store.grids import leaderboard
    from runner.store.show import printed

    rows = leaderboard(results, grid)
    where = "" if results == Path("results") else f" --results {results}"
    more = f"\n{len(rows) - most} more points: {program()} leaderboard {grid}{where}" if len(rows) > most else ""
    return f"\n{printed(rows[:most])}{more}\nnext:  {program()} ls --grid {grid}{where}"


def compared(result: dict[str, Any], results: Path) -> list[str]:
    """Each task's gap to the best run that learned it alone, where the store has one."""
    if len({row["task"] for row in result["scores"]}) < 2:
        return []
    from runner.store.alone import gaps

    table = [
        (
            row["task"],
            row["metric"],
            f"{row['value']:.3f}",
            f"{row['alone']:.3f}",
            f"{row['gap']:+.3f}",
            row["alone_run"],
        )
        for row in gaps(results, result["run"])
    ]
    return ["", "beside the best run of each task alone", *aligned([GAPS, *table], indent=2)] if table else []


def program() -> str:
    """How the reader can call this program: by its name, or by its path where the shell doesn't know the name."""
    called = Path(sys.argv[0])
    return "runner" if shutil.which("runner") or called.name != "runner" else os.path.relpath(called)
