"""Probing: whether a base can compute packed, found out by whoever builds it first and remembered in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from runner.cache.cache import fingerprint
from runner.plan.estimate import speaking
from runner.run.work import Work

STAGE = "probe"
EDITION = 1  # of `model/packing.py` and of the probe


def inputs(work: Work) -> dict[str, Any]:
    """What the answer depends on."""
    libraries = {name: version(name) for name in ("torch", "transformers")}
    speaks = speaking(work.experiment.tasks)
    return {"base": work.checked.base.key(work.cache), "speaks": speaks, "libraries": libraries, "edition": EDITION}


def known(work: Work) -> bool | None:
    """Whether it can, where somebody has found out."""
    key = fingerprint(inputs(work))
    found: bool | None = work.cache.manifest(STAGE, key).get("packs") if work.cache.find(STAGE, key) else None
    return found


def remember(work: Work, packs: bool) -> None:
    """Write it down."""
    given = inputs(work)

    def build(_: Path) -> Mapping[str, Any]:
        return {"packs": packs}

    work.cache.make(STAGE, fingerprint(given), build, given)
