"""The stage `clean`: of one file, the rows that stay after all cleaners, and an account of those that don't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.cache.cache import Cache, fingerprint
from runner.data.files import content_hash
from runner.data.packages import installed
from runner.data.read import Origin, Reading
from runner.data.tables import mapped
from runner.spec.tables import Data

if TYPE_CHECKING:
    import pyarrow as pa

    from runner.parts.cleaners._cleaner import Cleaner

VERSION = 2


@dataclass(frozen=True)
class Cleaned:
    """One file after the stage."""

    key: str
    entry: Path

    @cached_property
    def table(self) -> pa.Table:
        """The rows that stay, memory-mapped: `id`, `_content` (which repeats of an input share), columns, `_line`."""
        return mapped(self.entry / "rows.arrow")


def cleaners_of(data: Data, split: str) -> dict[int, Cleaner]:
    """The cleaners of a split's file, by their place in the list."""
    return {at: part for at, part in enumerate(data.cleaners) if not part.files or split in part.files}


def clean(
    split: str,
    origin: Origin,
    data: Data,
    inputs: Sequence[str],
    targets: Sequence[str],
    cache: Cache,
    tokenizer_file: Path | None,
) -> Cleaned:
    """The rows of a split's file; DataFaults with everything that is wrong with it."""
    cleaners = list(cleaners_of(data, split).values())
    key, why = clean_key(origin, data, cleaners, inputs, targets, cache, tokenizer_file)

    def build(entry: Path) -> Mapping[str, Any]:
        from runner.data.wash import wash  # loads numpy, which a known file does without

        return wash(entry, split, origin, data, cleaners, inputs, targets, tokenizer_file)

    return Cleaned(key, cache.make("clean", key, build, why))


def clean_key(
    origin: Origin | Reading,
    data: Data,
    cleaners: Sequence[Cleaner],
    inputs: Sequence[str],
    targets: Sequence[str],
    cache: Cache,
    tokenizer_file: Path | None,
) -> tuple[str, dict[str, Any]]:
    """Key and inputs of the stage; the file's name is no part of the key."""
    why: dict[str, Any] = {
        "file": origin.key,
        "clean": [part.model_dump(mode="json", exclude={"files"}) for part in cleaners],
        "inputs": list(inputs),  # the account tells them in this order
        "targets": sorted(targets),
        "id": data.id,
        "empty_text": data.empty_text,
        "version": VERSION,
    }
    packages = sorted({name for part in cleaners for name in part.packages})
    if packages:
        why["packages"] = {name: installed(name) for name in packages}
    if tokenizer_file is not None and any(part.counts_tokens for part in cleaners):
        why["tokenizer"] = content_hash(tokenizer_file, cache)
    return fingerprint({"stage": "clean", **why}), {"name": origin.path.name, **why}
