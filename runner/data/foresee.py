"""Which cache entries the preparation of a data set needs, and whether each is there: nothing is built to say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runner.cache.cache import Cache
from runner.data.clean import clean_key, cleaners_of
from runner.data.counts import counted
from runner.data.encode import encode_key
from runner.data.load import SPLITS, contents_of, split_key
from runner.data.named import resolved
from runner.data.read import reading
from runner.data.recipe import Recipe
from runner.data.training import trainings
from runner.errors import RunnerError
from runner.spec.tables import Data

UNKNOWN = "not known before `split` is built, since it goes by the rows of each split"


class Foreseen(NamedTuple):
    """One stage: `key` is empty where it can't be known yet, `says` tells hit or miss and why, `of` names a file."""

    stage: str
    split: str
    key: str
    says: str
    of: str = ""


def foresee(
    data: Data,
    folder: Path,
    inputs: Sequence[str],
    targets: Sequence[str],
    classes: Sequence[str],
    cache: Cache,
    tokenizer_file: Path | None,
) -> Iterator[Foreseen]:
    """The stages from `read` to `augment` in their order; RunnerError where a file or model can't be had."""
    cleaned = {}
    for split in SPLITS:
        written = getattr(data, split)
        if isinstance(written, str):
            found = reading(written, folder, data.format, cache)
            yield Foreseen("read", split, found.key, cache.explain("read", found.key, found.why), written)
            cleaners = list(cleaners_of(data, split).values())
            key, why = clean_key(found, data, cleaners, inputs, targets, cache, tokenizer_file)
            cleaned[split] = key
            yield Foreseen("clean", split, key, cache.explain("clean", key, why), written)
    key, why = split_key(data, cleaned)
    yield Foreseen("split", "", key, cache.explain("split", key, why))
    named, wrong = resolved(data.augmentations, folder)
    if wrong:
        raise RunnerError(wrong[0].message, wrong[0].hint)
    keys = splits_of(key, cache)
    for training in trainings(data, inputs, targets, classes, named, cache):
        if keys:
            keys["train"], why = training.key(keys)
            yield Foreseen(training.stage, "train", keys["train"], cache.explain(training.stage, keys["train"], why))
        else:
            yield Foreseen(training.stage, "train", "", UNKNOWN)


def splits_of(key: str, cache: Cache) -> dict[str, str]:
    """What each split holds, as a hash; empty where the stage `split` is not built."""
    if not cache.has("split", key):
        return {}
    return contents_of(cache.manifest("split", key)["files"], counted(cache.folder / "split" / key)["rows"])


def foresee_tokens(
    stages: Sequence[Foreseen],
    recipe: Recipe,
    cache: Cache,
) -> Iterator[Foreseen]:
    """The stage `encode` of each split, after those of `foresee`; its key follows from the rows that `split` has."""
    split = next(each.key for each in stages if each.stage == "split")
    keys = splits_of(split, cache)
    if not keys:
        yield Foreseen("encode", "", "", UNKNOWN)
    for name, content in keys.items():
        own = [each.key for each in stages if each.split == name and each.stage not in ("read", "clean")]
        source = {"rows": own[-1] if own else content}
        key, why = encode_key(recipe, cache, source)
        yield Foreseen("encode", name, key, cache.explain("encode", key, why))
