"""MinHash by datatrove over a JSON Lines file, in an environment with `datatrove[processing]`, `spacy` and `orjson`.

Shingles of characters instead of words, so that all sides compare the same sets; else the pipeline as it comes.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.text import simplify_text

SIZE = 5


class Characters(MinhashDedupSignature):
    """Signatures of runs of characters."""

    def get_shingles(self, text):
        text = simplify_text(text, self.config.norm_config)
        runs = {text[start : start + SIZE] for start in range(max(1, len(text) - SIZE + 1))}
        return np.fromiter(map(self._hash_func, runs), np.uint64, len(runs)).reshape(-1, 1)


def main(folder: Path, bands: int, rows: int) -> None:
    """Reads `folder/rows.jsonl`; prints seconds and how many rows stay; their ids go to `kept.json`."""
    config = MinhashConfig(num_buckets=bands, hashes_per_bucket=rows)
    read = JsonlReader(str(folder), glob_pattern="rows.jsonl")
    where = {name: str(folder / name) for name in ("signatures", "buckets", "clusters", "kept")}
    steps = [
        ([read, Characters(where["signatures"], config)], 1),
        ([MinhashDedupBuckets(where["signatures"], where["buckets"], config=config)], bands),
        ([MinhashDedupCluster(where["buckets"], where["clusters"], config=config)], 1),
        ([read, MinhashDedupFilter(where["clusters"]), JsonlWriter(where["kept"], compression=None)], 1),
    ]
    began, used = time.perf_counter(), sum(os.times()[:4])
    for number, (pipeline, tasks) in enumerate(steps):
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(folder / f"log-{number}")).run()
    seconds, cpu = time.perf_counter() - began, sum(os.times()[:4]) - used
    kept = [
        json.loads(line)["id"] for file in (folder / "kept").glob("*.jsonl") for line in file.open(encoding="utf-8")
    ]
    (folder / "kept.json").write_text(json.dumps(kept), encoding="utf-8")
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "kept": len(kept)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
