"""The verdict on a spec that was found valid: remembered with the state of every file that it stands on.

An unchanged spec over unchanged files is not checked twice, not even by another process. Nothing heavy is imported.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import runner
from runner.cache.stat_index import RACY_NS, remember, state
from runner.errors import Diagnostic
from runner.plan.proxies import reads

if TYPE_CHECKING:
    from runner.plan.check import Checked


def recall(spec: Path, folder: Path) -> list[Diagnostic] | None:
    """The warnings of a spec that was valid and whose files are untouched since; None where it must be checked."""
    try:
        known = json.loads(entry(spec, folder).read_bytes())
        untouched = all(state(Path(path)) == before for path, before in known["files"].items())
        found = [Diagnostic(**{**each, "path": tuple(each["path"])}) for each in known["warnings"]]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if untouched and known["code"] == code() else None


def keep(trials: Sequence[Checked], spec: Path, folder: Path, began_ns: int) -> None:
    """Remember a verdict, if each file was last touched well before the check began (see `stat_index`)."""
    found = [files(checked) for checked in trials]
    if None in found:
        return
    try:
        places = {place.absolute() for places in found for place in places or ()}
        states = {str(place): state(place) for place in sorted({spec.absolute(), *places})}
        if all(max(each["mtime_ns"], each["ctime_ns"]) < began_ns - RACY_NS for each in states.values()):
            warnings = [asdict(each) for each in remarks(trials)]
            remember(entry(spec, folder), {"files": states, "warnings": warnings, "code": code()})
    except OSError:
        return  # a file that vanished, or a cache that can't be written: the next call checks again


def remarks(trials: Sequence[Checked]) -> list[Diagnostic]:
    """The warnings of all trials, each once."""
    return list(dict.fromkeys(each for checked in trials for each in checked.warnings))


def entry(spec: Path, folder: Path) -> Path:
    """Where the verdict on a spec lies."""
    return folder / "verdict" / hashlib.sha256(f"{spec.absolute()}\0{spec}".encode()).hexdigest()[:32]


def files(checked: Checked) -> list[Path] | None:
    """Every file that the check read; None for data on a hub, whose state no file tells."""
    spec, base = checked.spec, checked.base
    places = [spec.parent] if spec.parent else []
    places += [path for read in reads(spec) for path in inside(read)]
    for loaded in checked.loaded.values():
        for file in loaded.files:
            if file.path.startswith("hub:"):
                return None
            places += inside(spec.folder / Path(file.path.split("#")[0]).expanduser())
        places += [path for beside in loaded.beside for path in inside(beside)]
    return [*places, *inside(base.folder)]


def inside(place: Path) -> Iterable[Path]:
    """A file, or a folder with all that lies in it."""
    return [place, *sorted(place.rglob("*"))] if place.is_dir() else [place]


@cache
def code() -> list[Any]:
    """The version of this program, and the newest change of its modules (unix nanoseconds)."""
    modules = (entry for folder, _, _ in os.walk(Path(runner.__file__).parent) for entry in os.scandir(folder))
    return [runner.__version__, max(entry.stat().st_mtime_ns for entry in modules if entry.name.endswith(".py"))]
