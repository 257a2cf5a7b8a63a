"""Prepare the data of a spec and encode every split, as `runner run` does before it trains; prints what was done."""

import json
import resource
import sys
from pathlib import Path

from runner.cache.cache import Cache
from runner.data.encode import encode
from runner.plan.compile import Plan
from runner.plan.streams import recipe_of
from runner.run.experiment import prepare


def encoded(plan: Plan, results: Path) -> dict[str, int]:
    """Encode every split of every stream of a plan, as a run does before it trains; the rows of each."""
    rows = {}
    for name, (data, _, tasks) in plan.streams.items():
        loaded = plan.checked.loaded[data]
        for split, table in loaded.splits.items():
            why = {"rows": loaded.keys[split]}
            found = encode(table, recipe_of(plan.checked, tasks), Cache(results / "cache"), why)
            rows[f"{name} {split}"] = found.num_rows
    return rows


def main(spec: Path, results: Path) -> None:
    """Prints JSON: rows of each split, seconds of each step, CPU seconds of all processes."""
    plan = prepare(spec, results)
    steps = {}
    for loaded in plan.checked.loaded.values():
        for facts in loaded.account:
            where = f"{facts['stage']} {facts['split']} {facts['step']}"
            steps[where] = {word: facts[word] for word in ("rows", "kept", "seconds")}
    rows = encoded(plan, results)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(each.ru_utime + each.ru_stime for each in used)
    print(json.dumps({"cpu_seconds": seconds, "encoded": rows, "steps": steps}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
