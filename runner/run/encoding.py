"""Rows of the plan's data sets -> streams of tokens, from the cache or made now."""

from __future__ import annotations

from typing import Any

from runner.data.encode import encode
from runner.data.load import SPLITS
from runner.run.work import Work


def encoded(work: Work) -> dict[str, dict[str, Any]]:
    """The streams of each split by name."""
    from runner.model.stream import stream

    checked, tasks = work.checked, work.experiment.tasks
    streams: dict[str, dict[str, Any]] = {split: {} for split in SPLITS}
    for name, (data, inputs, readers) in work.plan.streams.items():
        loaded = checked.loaded[data]
        for split, table in loaded.splits.items():
            with work.stage(f"encode {name} {split}", table.num_rows):
                source = {"rows": loaded.keys[split]}
                length = work.experiment.model.max_length
                tokens = encode(table, inputs, checked.base.tokenizer_file, length, work.cache, source)
                targets = {
                    task: tasks[task].targets(table[tasks[task].target].to_pylist(), checked.labels[task])
                    for task in readers
                }
                streams[split][name] = stream(name, tokens, targets)
    return streams
