"""Prepare the data of a spec and encode every split, as `runner run` does before it trains; prints what was done."""

import json
import resource
import sys
from pathlib import Path

from runner.cache.cache import Cache
from runner.data.encode import encode
from runner.run.experiment import prepare


def main(spec: Path, results: Path) -> None:
    """Prints JSON: rows of each split, seconds of each step, CPU seconds of all processes."""
    checked = prepare(spec, results).checked
    steps, rows = {}, {}
    for name, loaded in checked.loaded.items():
        for facts in loaded.account:
            where = f"{facts['stage']} {facts['split']} {facts['step']}"
            steps[where] = {word: facts[word] for word in ("rows", "kept", "seconds")}
        for split, table in loaded.splits.items():
            why = {"data": loaded.fingerprint, "split": split}
            length = checked.spec.experiment.model.max_length
            rows[f"{name} {split}"] = encode(
                table, ["text"], checked.base.tokenizer_file, length, Cache(results / "cache"), why
            ).num_rows
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(each.ru_utime + each.ru_stime for each in used)
    print(json.dumps({"cpu_seconds": seconds, "encoded": rows, "steps": steps}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
