"""The stage `survey`: what the values of a task's target count as, and which of them are no targets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.cache.cache import Cache, fingerprint
from runner.data.load import Loaded
from runner.parts.tasks._task import Task

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
FILE = "survey.json"
TOLD = 5
# Fields of a task that say nothing about its values.
ELSEWHERE = {"data", "metrics", "loss_weight"}


class Survey(NamedTuple):
    """`counts[unit]` of one split; `wrong` are places and reasons of the first values that are no targets."""

    counts: dict[str, int]
    wrong: list[str]
    more: int


def survey(task: Task, loaded: Loaded, split: str, cache: Cache) -> Survey:
    """Look at every value of the target in one split, unless that was done before."""
    fields = task.model_dump(mode="json", exclude=ELSEWHERE)
    why: dict[str, Any] = {"rows": loaded.keys[split], "task": fields, "version": [VERSION, task.version]}
    if split == "train" and not loaded.complete:
        why["complete"] = False  # the key is that of rows that a model has yet to write to those that are there
    key = fingerprint({"stage": "survey", **why})

    def build(entry: Path) -> Mapping[str, Any]:
        found = looked(task, loaded.splits[split])
        (entry / FILE).write_text(json.dumps(found._asdict(), ensure_ascii=False), encoding="utf-8")
        return {"rows": loaded.rows[split]}

    entry = cache.make("survey", key, build, why)
    return Survey(**json.loads((entry / FILE).read_bytes()))


def looked(task: Task, table: pa.Table) -> Survey:
    """Look at every value."""
    from runner.data.tables import slices

    counts: Counter[str] = Counter()
    wrong: list[str] = []
    more = 0
    for part in slices(table.select(["line", *dict.fromkeys([*task.inputs, task.target])])):
        texts = zip(*(part[name].to_pylist() for name in task.inputs), strict=True)
        for line, value, text in zip(part["line"].to_pylist(), part[task.target].to_pylist(), texts, strict=True):
            try:
                counts.update(task.units(value, text))
            except ValueError as error:
                more += len(wrong) >= TOLD
                wrong += [f"line {line}: {error}"] * (len(wrong) < TOLD)
    return Survey(dict(counts), wrong, more)
