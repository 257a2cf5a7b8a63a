"""What pydantic found, and names that refer to nothing -> faults at their places, in the author's words."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from runner.errors import Diagnostic, nearest
from runner.spec.fields import Path, at
from runner.spec.places import Places
from runner.spec.references import references
from runner.spec.wording import EXPECTED, Found, said


def diagnose(error: ValidationError, tables: dict[str, Any], places: Places) -> list[Diagnostic]:
    """One fault a place, in the order of the text."""
    by_path: dict[Path, list[Found]] = {}
    for fault in error.errors(include_url=False):
        path = written(fault["loc"], tables, fault["type"] == "missing")
        found = Found(fault["type"], fault.get("ctx", {}), fault["msg"], path, at(tables, path), tables)
        by_path.setdefault(path, []).append(found)
    chosen = {path: chief(found) for path, found in by_path.items()}
    for path in misspelt(chosen):
        del chosen[path]
    inner = {path for path in chosen for other in chosen if other != path and other[: len(path)] == path}
    shown = [one(found, places) for path, found in chosen.items() if path not in inner]
    shown += references(tables, places, shown)
    return sorted(shown, key=lambda each: (each.file, each.line, each.column))


def written(location: tuple[str | int, ...], tables: Any, missing: bool) -> Path:
    """The path as the author wrote it: names of union branches, which pydantic puts in between, are left out."""
    path: list[str | int] = []
    here = tables
    for index, step in enumerate(location):
        if isinstance(here, dict) and (step in here or (missing and index == len(location) - 1)):
            path.append(step)
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            path.append(step)
            here = here[step]
    return tuple(path)


def misspelt(chosen: dict[Path, Found]) -> list[Path]:
    """Missing keys that were written with a typo: the unknown key, whose hint names them, says it all."""
    unknown = [path for path, found in chosen.items() if found.kind == "extra_forbidden"]
    missing = [path for path, found in chosen.items() if found.kind == "missing"]
    return [
        path
        for path in missing
        if any(other[:-1] == path[:-1] and nearest(str(other[-1]), [str(path[-1])]) for other in unknown)
    ]


def chief(branches: list[Found]) -> Found:
    """Among the faults of one place's union branches, that of the branch that fits the written type says most."""
    found = max(branches, key=relevance)
    types = dict.fromkeys(each.kind for each in branches if each.kind in EXPECTED and each.kind != found.kind)
    return found._replace(others=tuple(types))


def relevance(found: Found) -> int:
    """0 for a branch that wants a value of another type."""
    misfit = found.kind in ("literal_error", "enum") and not isinstance(found.value, str)
    return 0 if misfit or found.kind in EXPECTED else 1


def one(found: Found, places: Places) -> Diagnostic:
    """The fault in words, at its place."""
    words = said(found)
    place = places.place(words.path, words.what)
    return Diagnostic(
        words.code, words.message, place.file, place.line, place.column, place.end_column, words.path, words.hint
    )
