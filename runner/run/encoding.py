"""Rows of the plan's data sets -> streams of tokens, from the cache or made now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.data.encode import encode
from runner.data.load import SPLITS
from runner.parts.tasks._reading import Reading
from runner.plan.compile import recipe_of
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
    parts: Any = tasks
    recipe = recipe_of(checked, readers)
    form = recipe.form
    tokens = encode(table, recipe, work.cache, source)
    starts, ends = (flat(tokens[column])[1] for column in ("starts", "ends")) if recipe.places else (None, None)
    texts = [table[column].to_pylist() for column in inputs] if recipe.places else []
    rows = tokens["row"].to_numpy() if form.several else None
    offsets, ids = flat(tokens["input_ids"])
    spoken = (flat(tokens["judged"])[1], tokens["bytes"].to_numpy()) if recipe.spoken else ()
    reading = Reading(texts, offsets, starts, ends, rows, tokens["pair"].to_numpy(), ids, *spoken)
    raw = {task: table[tasks[task].target].to_pylist() for task in readers}
    targets = {task: tasks[task].targets(each, checked.labels[task], reading) for task, each in raw.items()}
    values = {task: strings(tasks[task].written(each, reading)) for task, each in raw.items()}
    return stream(
        name,
        tokens,
        targets,
        by_token=frozenset(task for task in readers if tasks[task].level != "text"),
        values=values,
        spans=None if starts is None or ends is None else np.stack([starts, ends], axis=1),
        rows=rows,
        parts=form.parts,
        by_row=frozenset(task for task in readers if tasks[task].by_row),
        hides={task: parts[task].hide(*checked.base.masking) for task in readers if tasks[task].speaks == "masked"},
    )
