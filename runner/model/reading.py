"""From tokens to a stream: what the heads of a stream learn from its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from runner.data.recipe import Recipe
from runner.model.stream import Stream, flat, stream
from runner.parts.tasks._reading import Reading
from runner.plan.base import Base


def streamed(
    name: str,
    tokens: pa.Table,
    texts: Sequence[Sequence[str]],
    raw: Mapping[str, Sequence[str | None]],
    recipe: Recipe,
    tasks: Mapping[str, Any],
    labels: Mapping[str, Sequence[str]],
    base: Base,
) -> Stream:
    """The tokens that `data.encode` made of the texts by column, with the target column of each task in `raw`.

    Where values are None, as in texts to be answered, targets are any and no values are kept.
    """
    starts, ends = (flat(tokens[column])[1] for column in ("starts", "ends")) if recipe.places else (None, None)
    rows = tokens["row"].to_numpy() if recipe.form.several else None
    offsets, ids = flat(tokens["input_ids"])
    spoken = (flat(tokens["judged"])[1], tokens["bytes"].to_numpy()) if recipe.spoken else ()
    reading = Reading(
        texts if recipe.places else [], offsets, starts, ends, rows, tokens["pair"].to_numpy(), ids, *spoken
    )
    known = {task: each for task, each in raw.items() if None not in each}
    return stream(
        name,
        tokens,
        {task: tasks[task].targets(each, labels[task], reading) for task, each in raw.items()},
        by_token=frozenset(task for task in raw if tasks[task].level != "text"),
        values={task: strings(tasks[task].written(each, reading)) for task, each in known.items()},
        spans=None if starts is None or ends is None else np.stack([starts, ends], axis=1),
        rows=rows,
        parts=recipe.form.parts,
        by_row=frozenset(task for task in raw if tasks[task].by_row),
        hides={task: tasks[task].hide(*base.masking) for task in raw if tasks[task].speaks == "masked"},
    )


def strings(values: Sequence[str]) -> pa.ChunkedArray:
    """A column of texts."""
    return pa.chunked_array([pa.array(values, pa.string())])
