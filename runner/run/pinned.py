"""Pinned: what numbers stand on beside the words of a spec: contents of data and model, packages; and how it drifts."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from runner import __version__
from runner.cache.cache import Cache
from runner.data.files import content_hash
from runner.data.packages import installed
from runner.plan.trials import Trials
from runner.run.environment import PACKAGES

Pins = Mapping[str, Mapping[str, Any]]  # of a kind: a name and its hash, version or value

# What to do where something is no longer what it was.
MEND = {
    "spec": "write it back",
    "data": "bring that file back",
    "beside": "bring that file back",
    "model": "bring that model back; `revision` pins one of a hub",
    "trials": "this runner makes other trials of the same spec and files; use the version that made the lock",
}


class Drift(NamedTuple):
    """One thing that is not what it was; None where it was not there, or is gone."""

    kind: str
    name: str
    was: Any
    now: Any
    mend: str


def pins(trials: Trials, cache: Cache) -> Pins:
    """Hashes of the data and models of all points of a spec, and versions of what computes."""
    data, beside, model = dict[str, set[str]](), dict[str, set[str]](), dict[str, set[str]]()
    for checked in (plan.checked for plan in trials.plans):
        for name, loaded in checked.loaded.items():
            for file in loaded.files:
                data.setdefault(f"{name} {file.split}", set()).add(file.sha256)
            for path in loaded.beside:
                beside.setdefault(f"{name} {path.name}", set()).add(content_hash(path, cache))
        for name, digest in checked.base.hashes(cache).items():
            model.setdefault(name, set()).add(digest)
    files = {"data": joined(data), "beside": joined(beside), "model": joined(model)}
    return {**files, "packages": packages(trials)}


def joined(found: Mapping[str, set[str]]) -> dict[str, str]:
    """Several hashes of one name, as points of a grid may have them, in a row."""
    return {name: " ".join(sorted(each)) for name, each in found.items()}


def packages(trials: Trials) -> dict[str, str | None]:
    """Versions of python, of this program, and of the packages that any trial or a cleaner of this spec works with."""
    own = {
        name
        for plan in trials.plans
        for data in plan.checked.spec.experiment.data.values()
        for part in data.cleaners
        for name in part.packages
    }
    known = {name: installed(name) for name in sorted({*PACKAGES, *own})}
    return {"python": platform.python_version(), "runner": __version__} | known


def drift(was: Pins, now: Pins) -> list[Drift]:
    """What of the pinned is another now, in the order of its kinds."""
    return [each for kind in was for each in drifted(kind, was[kind], now.get(kind, {}))]


def drifted(kind: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Drift]:
    """The same within one kind."""
    for name in sorted({*was, *now}):
        old, new = was.get(name), now.get(name)
        if old != new:
            yield Drift(kind, name, old, new, mend(kind, name, old))


def mend(kind: str, name: str, was: Any) -> str:
    """What to do about it."""
    if kind != "packages":
        return MEND[kind]
    if name == "python":
        return f"use python {was}"
    return f"`pip install {name}=={was}`" if was else f"`pip uninstall {name}`"


def told(found: list[Drift]) -> str:
    """A line for each."""
    return "\n".join(
        f"  {each.kind} {each.name}: was {shown(each.was)}, is {shown(each.now)}; {each.mend}" for each in found
    )


def shown(value: Any) -> str:
    """A hash by its beginning, everything else as it is, nothing as a dash."""
    text = "-" if value is None else str(value)
    return " ".join(each[:12] if len(each) == 64 else each for each in text.split(" "))
