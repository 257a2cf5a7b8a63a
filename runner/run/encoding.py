"""Rows of the plan's data sets -> streams of tokens, from the cache or made now."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from runner.data.encode import encode
from runner.run.work import Work

SPLITS = ("train", "validation", "test")


def encoded(work: Work) -> dict[str, dict[str, Any]]:
    """The streams of each split by name."""
    from runner.model.stream import stream

    checked, tasks = work.checked, work.experiment.tasks
    streams: dict[str, dict[str, Any]] = {split: {} for split in SPLITS}
    for name, (data, inputs, readers) in work.plan.streams.items():
        loaded = checked.loaded[data]
        for split, table in loaded.splits.items():
            with work.stage(f"encode {name} {split}", table.num_rows):
                source = {"data": loaded.fingerprint, "split": split}
                length = work.experiment.model.max_length
                tokens = encode(table, inputs, checked.base.tokenizer_file, length, work.cache, source)
                targets = {task: indices(table, tasks[task], checked.labels[task]) for task in readers}
                streams[split][name] = stream(name, tokens, targets)
    return streams


def indices(table: Any, task: Any, labels: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """The target column as class indices."""
    position = {label: index for index, label in enumerate(labels)}
    return np.fromiter((position[label] for label in table[task.target].to_pylist()), np.int64, table.num_rows)
