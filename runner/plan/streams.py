"""Streams: the rows of one data set under one choice of input columns, and the keys of their tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runner.cache.cache import Cache
from runner.data.encode import encode_key
from runner.data.recipe import Recipe
from runner.parts.tasks._form import Form
from runner.plan.check import Checked
from runner.plan.recipes import recipe

Streams = Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]]


class Tokens(NamedTuple):
    """The tokens of a stream and split: of which data set, how many rows, by which recipe, and their entry."""

    stream: str
    split: str
    data: str
    rows: int
    recipe: Recipe
    key: str
    inputs: dict[str, Any]


def streams_of(checked: Checked) -> dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Streams by name: (data set, input columns, tasks); tasks that read the same columns share a forward pass.

    Those that cut long texts into overlapping sequences do so only with tasks that cut alike.
    """
    found: dict[tuple[str, Form], list[str]] = {}
    for name, task in sorted(checked.spec.experiment.tasks.items()):
        for data in task.data:
            found.setdefault((data, task.form), []).append(name)
    names = {key: f"{key[0]}:{'+'.join(key[1].columns)}{key[1].suffix}" for key in found}
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    return {
        name if name not in twice else f"{name}#{tasks[0]}": (data, form.columns, tuple(tasks))
        for ((data, form), tasks), name in zip(found.items(), names.values(), strict=True)
    }


def recipe_of(checked: Checked, tasks: Sequence[str]) -> Recipe:
    """How the rows of a stream with these tasks become sequences of tokens."""
    experiment = checked.spec.experiment
    return recipe(checked.base, experiment.tasks, experiment.model, tasks)


def tokens_of(checked: Checked, streams: Streams, cache: Cache) -> Iterator[Tokens]:
    """All that is to be encoded."""
    for name, (data, _, readers) in streams.items():
        loaded, how = checked.loaded[data], recipe_of(checked, readers)
        for split, rows in loaded.rows.items():
            key, why = encode_key(how, cache, {"rows": loaded.keys[split]})
            yield Tokens(name, split, data, rows, how, key, why)
