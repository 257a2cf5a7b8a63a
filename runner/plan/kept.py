"""Kept: whether the activations of frozen layers are computed once, decided for all trials that read the same."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.cache.cache import Cache
from runner.data.encode import lengths, sequences
from runner.plan.check import Checked
from runner.plan.frozen import Frozen, activate_key, frozen, obstacle
from runner.plan.machine import known_bf16
from runner.plan.streams import Tokens, streams_of, tokens_of

STAGE = "activate"
DISK = 0.2  # of what is free may be filled
SAMPLE = 200  # texts whose length is measured


class Vectors(NamedTuple):
    """What frozen layers say of the tokens of one stream and split."""

    tokens: Tokens
    key: str
    inputs: dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """What is kept, None for nothing, and why; its entries by stream and split, with their bytes, about, until made."""

    frozen: Frozen | None = None
    why: str = ""
    vectors: Mapping[tuple[str, str], Vectors] = field(default_factory=dict)
    bytes: Mapping[tuple[str, str], int] = field(default_factory=dict)


def settled(checks: Sequence[Checked], cache: Cache, times: int = 1, begun: bool | None = None) -> list[Kept]:
    """The decision for each point of a spec, one for all that read the same; each point is tried so many times.

    What has `begun` with or without goes on so, whatever the disk says by now: other vectors are other roundings.
    """
    readings = [vectors_of(checked, cache) for checked in checks]
    passes: Counter[tuple[str, ...]] = Counter()
    for checked, vectors in zip(checks, readings, strict=True):
        experiment = checked.spec.experiment
        passes[keys(vectors)] += times * experiment.train.epochs * len(experiment.all_seeds)
    known: dict[tuple[str, ...], Kept] = {}
    found = []
    for checked, vectors in zip(checks, readings, strict=True):
        own = keys(vectors)
        if own and own not in known:
            known[own] = decided(checked, vectors, cache, passes[own], begun)
        found.append(known[own] if own else Kept(why=hindered(checked)))
    return found


def vectors_of(checked: Checked, cache: Cache) -> dict[tuple[str, str], Vectors]:
    """The entries that could be kept, by stream and split; none where something speaks against it."""
    found = frozen(checked.spec.experiment, checked.base.layers)
    if found is None or hindered(checked):
        return {}
    weights, machine = checked.base.key(cache), {"bf16": known_bf16()}
    return {
        (each.stream, each.split): Vectors(each, *activate_key(checked, found, weights, each.key, machine))
        for each in tokens_of(checked, streams_of(checked), cache)
    }


def hindered(checked: Checked) -> str:
    """What speaks against it, whatever it costs."""
    experiment = checked.spec.experiment
    return obstacle(experiment, frozen(experiment, checked.base.layers))


def keys(vectors: Mapping[tuple[str, str], Vectors]) -> tuple[str, ...]:
    """By what trials read the same."""
    return tuple(each.key for each in vectors.values())


def decided(
    checked: Checked, vectors: Mapping[tuple[str, str], Vectors], cache: Cache, passes: int, begun: bool | None
) -> Kept:
    """By cost: epochs that read against computing once, and the room on the disk."""
    what = frozen(checked.spec.experiment, checked.base.layers)
    assert what is not None
    if begun is False:
        return Kept(why="it began without them")
    there = all(cache.has(STAGE, each.key) for each in vectors.values())
    if passes < 2 and not there and not begun:
        return Kept(why="one epoch of one trial reads them once")
    sizes = {name: size(checked, what, each, cache) for name, each in vectors.items()}
    room, free = sum(sizes.values()), shutil.disk_usage(existing(cache)).free
    if room > DISK * free and not there and not begun:
        return Kept(why=f"they would take {room / 2**30:.1f} GiB, more than a fifth of the free disk")
    often = "once" if passes == 1 else f"{passes} times"
    once = "in the cache already" if there else "computed once"
    return Kept(what, f"read {often}, {once}: {what.told}, {room / 2**20:.1f} MiB", vectors, sizes)


def size(checked: Checked, what: Frozen, vectors: Vectors, cache: Cache) -> int:
    """Bytes of an entry; about, from a sample of its texts, as long as there is none."""
    made = cache.manifest(STAGE, vectors.key).get("files", {})
    if made:
        return sum(int(each["size"]) for each in made.values())
    tokens, experiment = vectors.tokens, checked.spec.experiment
    table = checked.loaded[tokens.data].splits.get(tokens.split)
    parts = tokens.recipe.form.parts
    if table is None:  # a model is yet to write its rows
        count = float(tokens.rows * parts * (1 if what.level == "text" else tokens.recipe.max_length))
    elif what.level == "text":
        count = sequences(table, tokens.recipe) * parts
    else:
        count = tokens.rows * lengths(table, tokens.recipe, SAMPLE).mean
    return round(count) * checked.base.hidden * (2 if experiment.train.precision == "bf16" else 4)


def existing(cache: Cache) -> Any:
    """The folder of the cache, or the nearest above it that there is."""
    return next(each for each in (cache.folder.absolute(), *cache.folder.absolute().parents) if each.exists())
