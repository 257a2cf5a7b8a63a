"""`runner validate` as a whole process against a bare import: an unchanged spec, an edited one, many in one call."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from _pairs import ROOT, emit, interleaved, parser, positive, ratios

QUICKSTART = ROOT / "specs" / "quickstart.toml"
BARE = [sys.executable, "-c", "import pydantic, duckdb"]
GOAL_RATIO, GOAL_SECONDS = 1.3, 5.0


def validate(results: Path, *specs: Path) -> list[str]:
    """The command that validates specs."""
    script = Path(sys.executable).with_name("runner")
    start = [str(script)] if script.is_file() else [sys.executable, "-m", "runner"]
    return [*start, "validate", "--results", str(results), *map(str, specs)]


def seconds(command: list[str]) -> float:
    """Wall time of a whole process whose modules are compiled already; its failure ends the benchmark."""
    place = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=place, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"`{' '.join(command[:6])} ...` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return took


def process(pairs: int, results: Path) -> dict[str, Any]:
    """One spec, process against process, after one call of each that is not in the ratios."""
    first = seconds(validate(results, QUICKSTART))
    seconds(BARE)
    unchanged = interleaved(pairs, lambda _: seconds(validate(results, QUICKSTART)), lambda _: seconds(BARE))
    with tempfile.TemporaryDirectory(prefix=".validate-", dir=ROOT) as folder:
        edits = generate(Path(folder), pairs)
        edited = interleaved(pairs, lambda index: seconds(validate(results, edits[index])), lambda _: seconds(BARE))
    return {
        "first_call_seconds": first,
        "unchanged": compared(unchanged),
        "edited_over_known_data": compared(edited),
        "goal": GOAL_RATIO,
    }


def compared(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """Seconds of both sides and their ratios."""
    return {
        "validate_seconds": [ours for ours, _ in pairs],
        "bare_import_seconds": [bare for _, bare in pairs],
        **ratios(pairs),
    }


def generate(folder: Path, count: int) -> list[Path]:
    """Copies of the quickstart with names and learning rates of their own, reading the same data."""
    text = QUICKSTART.read_text(encoding="utf-8").replace('"data/', '"../specs/data/')
    made = []
    for index in range(count):
        one = text.replace('name = "quickstart"', f'name = "copy-{index}"')
        one = one.replace("learning_rate = 2e-4", f"learning_rate = {1e-5 * (1 + index):.6f}")
        made.append(folder / f"copy-{index}.toml")
        made[-1].write_text(one, encoding="utf-8")
    return made


def many(count: int, repeats: int, results: Path) -> dict[str, Any]:
    """Many specs in one call, seconds of each repeat."""
    with tempfile.TemporaryDirectory(prefix=".validate-", dir=ROOT) as folder:
        command = validate(results, *generate(Path(folder), count))
        each = [seconds(command) for _ in range(repeats)]
    return {"specs": count, "seconds": each, "median_seconds": median(each), "goal_seconds": GOAL_SECONDS}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--pairs", type=positive, default=15, help="pairs of processes")
    options.add_argument("--specs", type=positive, default=1000, help="specs in one call")
    options.add_argument("--repeats", type=positive, default=3, help="calls with many specs")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as results:
        one = process(given.pairs, Path(results))
        emit({"one_spec": one, "many_specs": many(given.specs, given.repeats, Path(results))}, given.json)


if __name__ == "__main__":
    main()
