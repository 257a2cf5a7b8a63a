"""Rows of the plan's data sets -> streams of tokens, from the cache or made now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.data.encode import encode
from runner.data.load import SPLITS
from runner.parts.tasks._reading import Reading
from runner.plan.compile import by_token, overlap_of
from runner.run.work import Work

if TYPE_CHECKING:
    import pyarrow as pa


def encoded(work: Work) -> dict[str, dict[str, Any]]:
    """The streams of each split by name."""
    streams: dict[str, dict[str, Any]] = {split: {} for split in SPLITS}
    for name, (data, inputs, readers) in work.plan.streams.items():
        loaded = work.checked.loaded[data]
        for split, table in loaded.splits.items():
            with work.stage(f"encode {name} {split}", table.num_rows):
                streams[split][name] = one(work, name, table, {"rows": loaded.keys[split]}, inputs, readers)
    return streams


def strings(values: Sequence[str]) -> pa.ChunkedArray:
    """A column of texts."""
    import pyarrow as pa

    return pa.chunked_array([pa.array(values, pa.string())])


def one(
    work: Work, name: str, table: pa.Table, source: dict[str, str], inputs: tuple[str, ...], readers: Sequence[str]
) -> Any:
    """One stream."""
    from runner.model.stream import flat, stream

    checked, tasks = work.checked, work.experiment.tasks
    places = by_token(checked, readers)
    length = work.experiment.model.max_length
    overlap = overlap_of(checked, readers)
    tokens = encode(table, inputs, checked.base.tokenizer_file, length, work.cache, source, places, overlap)
    starts, ends = (flat(tokens[column])[1] for column in ("starts", "ends")) if places else (None, None)
    texts = [table[column].to_pylist() for column in inputs] if places else []
    rows = None if overlap is None else tokens["row"].to_numpy()
    reading = Reading(texts, flat(tokens["input_ids"])[0], starts, ends, rows, tokens["pair"].to_numpy())
    raw = {task: table[tasks[task].target].to_pylist() for task in readers}
    targets = {task: tasks[task].targets(each, checked.labels[task], reading) for task, each in raw.items()}
    values = {task: strings(tasks[task].written(each, texts)) for task, each in raw.items()}
    return stream(
        name,
        tokens,
        targets,
        by_token=frozenset(task for task in readers if tasks[task].level == "token"),
        values=values,
        spans=None if starts is None or ends is None else np.stack([starts, ends], axis=1),
        rows=rows,
    )
