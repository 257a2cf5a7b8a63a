"""Rows of the plan's data sets -> streams of tokens, from the cache or made now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runner.data.encode import encode
from runner.data.load import SPLITS
from runner.plan.streams import recipe_of
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


def one(
    work: Work, name: str, table: pa.Table, source: dict[str, str], inputs: tuple[str, ...], readers: Sequence[str]
) -> Any:
    """One stream."""
    from runner.model.reading import streamed

    checked, tasks = work.checked, work.experiment.tasks
    recipe = recipe_of(checked, readers)
    tokens = encode(table, recipe, work.cache, source)
    texts = [table[column].to_pylist() for column in inputs] if recipe.places else []
    raw = {task: table[tasks[task].target].to_pylist() for task in readers}
    return streamed(name, tokens, texts, raw, recipe, tasks, checked.labels, checked.base)
