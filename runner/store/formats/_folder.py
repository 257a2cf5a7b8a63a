"""A folder that takes the place of an older export: written beside it, so that nobody meets half of one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner import __version__
from runner.errors import RunnerError
from runner.store.elsewhere import Elsewhere, elsewhere

MANIFEST = "export.json"  # tells an export from any other folder


@contextmanager
def folder(target: str, format: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Where to write, and what the manifest shall say beside version and format; published when the block ends.

    RunnerError where the target has anything but an export, or cannot be written.
    """
    place = elsewhere(target)
    try:
        free(place)
        with beside(place) as (built, about):
            yield built, about
            about |= {"export": 1, "format": format, "version": __version__}
            (built / MANIFEST).write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            publish(built, place)
    except OSError as error:
        raise RunnerError(f"cannot write `{target}`: {error}", "free some space, or name another place") from error


def free(place: Elsewhere) -> None:
    """Refuse a place that has something else."""
    if place.system.exists(place.folder) and not place.has(MANIFEST) and not place.empty():
        hint = "name a new or empty folder, or one that an export made"
        raise RunnerError(f"`{place.place}` is no export: {place.listed()}", hint)


@contextmanager
def beside(place: Elsewhere) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder to write in: a sibling of a local target, a temporary one otherwise; gone afterwards."""
    parent = Path(place.folder).absolute().parent if place.local else None
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".export-", dir=parent) as built:
        os.chmod(built, 0o755)  # temporary folders are private, exports are not
        yield Path(built) / "export", {}


def publish(built: Path, place: Elsewhere) -> None:
    """Put what was built in the place of what was there."""
    if place.local:
        old = built.with_name("old")
        if Path(place.folder).exists():
            os.rename(place.folder, old)
        os.rename(built, place.folder)
        shutil.rmtree(old, ignore_errors=True)
        return
    if place.system.exists(place.folder):
        place.system.rm(place.folder, recursive=True)
    place.system.makedirs(place.folder, exist_ok=True)
    place.system.put_file(str(built / MANIFEST), f"{place.folder}/{MANIFEST}")  # first: half an export may be replaced
    place.system.put(f"{built}/", f"{place.folder}/", recursive=True)
