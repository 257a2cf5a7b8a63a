"""Preparation of twelve specs that differ only in `[train]` over that of one: the same stages are made once.

Each spec is read, checked, planned and its tokens taken, as `runner run` does before it trains; both sides begin
with an empty cache. The rows are generated; imports are not counted.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from _pairs import emit, interleaved, parser, positive, ratios
from _prepare import encoded
from memory import SPEC, generate

from runner.run.experiment import prepare

GOAL = 1.05


def specs(folder: Path, count: int, rows: int) -> list[Path]:
    """Specs over one file, each with a learning rate of its own."""
    made = []
    for index in range(count):
        text = SPEC.format(file="rows.jsonl", cap=rows // 8).replace('"memory"', f'"grid-{index}"')
        made.append(folder / f"grid-{index}.toml")
        made[-1].write_text(f"{text}\n[train]\nlearning_rate = {1e-5 * (1 + index):.6f}\n", encoding="utf-8")
    return made


def seconds(files: list[Path]) -> float:
    """Time until the tokens of all specs are there, from an empty cache on."""
    with tempfile.TemporaryDirectory(dir=files[0].parent) as results:
        began = time.perf_counter()
        for file in files:
            encoded(prepare(file, Path(results)), Path(results))
        return time.perf_counter() - began


def main() -> None:
    """Generate, measure and print."""
    options = parser(__doc__)
    options.add_argument("--pairs", type=positive, default=3, help="pairs of measurements")
    options.add_argument("--megabytes", type=positive, default=16, help="size of the generated file")
    options.add_argument("--trials", type=positive, default=12, help="specs of the grid")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = generate(Path(folder, "rows.jsonl"), given.megabytes << 20, 20)
        files = specs(Path(folder), given.trials, rows)
        seconds(files[:1])
        pairs = interleaved(given.pairs, lambda _: seconds(files), lambda _: seconds(files[:1]))
    found: dict[str, Any] = {"rows": rows, "trials": given.trials, "goal": GOAL, **ratios(pairs)}
    emit(found | {"seconds": [list(pair) for pair in pairs]}, given.json)


if __name__ == "__main__":
    main()
