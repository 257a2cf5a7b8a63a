"""What augmentations and proxies name: models and files of the author's, found, fitting, and hashed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.cache.cache import Cache
from runner.data.faults import Fault
from runner.data.files import content_hash
from runner.data.files import locate as locate_file
from runner.data.models import CALLED, ability, locate, model_hash
from runner.errors import RunnerError

if TYPE_CHECKING:
    from runner.parts.augment._augmentation import Augmentation, Places
    from runner.parts.proxies._proxy import Proxy


class Asked(NamedTuple):
    """One augmentation, its place in the list, where what it names lies, and all that decides its variants."""

    place: int
    part: Augmentation
    places: Places
    identity: Mapping[str, Any]


def resolved(parts: Mapping[int, Augmentation], folder: Path) -> tuple[list[Places], list[Fault]]:
    """For each augmentation the places of what its fields name; and what is missing or of the wrong kind."""
    found: list[Places] = []
    faults: list[Fault] = []
    for place, part in parts.items():
        here: dict[str, Path] = {}
        found.append(here)
        wrong: list[Fault] = []
        for field, written in named(part):
            try:
                here[field] = place_of(part, field, written, folder)
            except RunnerError as error:
                wrong.append(Fault((field,), error.message, error.hint))
        if not wrong:
            wrong = [Fault(each.where, each.message, each.hint) for each in part.faults(here)]
        faults += [Fault(("augment", place, *each.where), each.message, each.hint) for each in wrong]
    return found, faults


def named(part: Augmentation | Proxy) -> Iterator[tuple[str, str]]:
    """The fields that name a model or a file, with what is written there."""
    for field in (*part.models, *part.files):
        written = getattr(part, field)
        if isinstance(written, str):
            yield field, written


def place_of(part: Augmentation | Proxy, field: str, written: str, folder: Path) -> Path:
    """Where the model or file of a field lies; RunnerError where it is missing or does not fit."""
    if field in part.files:
        path = locate_file(written, folder)
        if not path.is_file():
            raise RunnerError(f"`{written}` is no file", f"looked at `{path}`")
        return path
    path = locate(written, folder)
    found = ability(written, path)
    if found not in part.models[field]:
        fits = " or ".join(CALLED[each] for each in part.models[field])
        raise RunnerError(f"`{written}` is {CALLED[found]}", f"`{field}` of `{part.kind}` wants {fits}")
    return path


def identity(part: Augmentation, places: Places, cache: Cache) -> dict[str, Any]:
    """All that decides the variants of one parent: the fields, with hashes of contents instead of places."""
    return {**hashed(part, places, cache), **part.meaning()}


def hashed(part: Augmentation | Proxy, places: Places, cache: Cache) -> dict[str, Any]:
    """The fields of a part, with hashes of contents instead of places."""
    fields = part.model_dump(mode="json", exclude=set(places))
    hashes = {
        field: model_hash(path, cache) if field in part.models else content_hash(path, cache)
        for field, path in places.items()
    }
    version = {"version": part.version} if part.version > 1 else {}
    return {**fields, **hashes, **version}
