"""Spread: a spec with a grid -> the spec of each trial, all checked, every fault at the value that makes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from runner.errors import Diagnostic, SpecError
from runner.spec.grid import MOST, Grid
from runner.spec.places import Place, Places
from runner.spec.points import Moved, Set, applied, count, points
from runner.spec.read import Sets, Source, Spec, valid
from runner.spec.search import Search


def spread(source: Source, sets: Sets = ()) -> Spec:
    """The spec with a variant for each point of its grid; SpecError with the faults of all of them."""
    if "search" in source.tables:
        return searched(source, sets)
    if "grid" not in source.tables:
        return variant(source, [], paths(sets))
    try:
        grid: Any = TypeAdapter(Grid | list[Grid]).validate_python(source.tables["grid"])
    except ValidationError:
        return Spec(source.file, source.text, valid(source.tables, source.places), source.places)  # raises all faults
    found: list[Spec] = []
    faults: list[Diagnostic] = []
    for point in met(source):
        try:
            found.append(variant(source, point, paths(sets)))
        except SpecError as error:
            faults += error.diagnostics
    if faults:
        raise SpecError(unique(faults))
    whole = found[0].experiment.model_copy(update={"grid": grid})
    return replace(found[0], experiment=whole, places=source.places, point={}, variants=tuple(found))


def pointed(source: Source, point: Mapping[str, Any], sets: Sets = ()) -> Spec:
    """The spec of one point that is known by its fields and their values."""
    return variant(source, [(tuple(name.split(".")), (), value) for name, value in point.items()], paths(sets))


def paths(sets: Sets) -> list[tuple[tuple[str, ...], Any]]:
    """Dotted names as paths."""
    return [(tuple(name.split(".")), value) for name, value in sets]


def met(source: Source) -> list[list[Set]]:
    """The points of a grid; SpecError where there are too many or none."""
    if count(source.tables["grid"]) > MOST:
        hint = '`combine = "random"` with `max_trials` draws some of them'
        raise SpecError([at(source.places, ("grid",), f"the grid has more than {MOST:,} trials", hint)])
    found = points(source.tables["grid"])
    if not found:
        raise SpecError([at(source.places, ("grid",), "every trial of the grid is excluded", "exclude less")])
    return found


def searched(source: Source, sets: Sets) -> Spec:
    """The spec of a search: the ends of each range and all choices are checked as if they stood in the file."""
    try:
        search = Search.model_validate(source.tables["search"])
    except ValidationError:
        return Spec(source.file, source.text, valid(source.tables, source.places), source.places)  # raises all faults
    faults: list[Diagnostic] = []
    if "grid" in source.tables or "seeds" in source.tables:
        word = "grid" if "grid" in source.tables else "seeds"
        faults.append(at(source.places, (word,), f"`{word}` and `search` exclude each other", "make two specs of it"))
    for name, each in search.space.items():
        for place, value in each.ends:
            point: list[Set] = [(tuple(name.split(".")), ("search", "space", name, *place), value)]
            try:
                variant(source, point, paths(sets))
            except SpecError as error:
                faults += error.diagnostics
    if faults:
        raise SpecError(unique(faults))
    own = variant(source, [], paths(sets))
    return replace(own, experiment=own.experiment.model_copy(update={"search": search}))


def variant(source: Source, point: Sequence[Set], sets: Sequence[tuple[tuple[str, ...], Any]]) -> Spec:
    """The spec of one point, with what was given from outside."""
    old = source.places
    places = {field: place for field, place, _ in point}
    moved = Moved(old.text, old.file, old.parent, places, [path for path, _ in sets])
    try:
        own = applied(source.tables, [*point, *((path, (), value) for path, value in sets)])
    except LookupError as error:
        where = point[-1][1] if point else ()
        raise SpecError([at(moved, where, str(error), "only the field of a table can be set")]) from None
    named = {".".join(map(str, field)): value for field, _, value in point}
    given = tuple((".".join(path), value) for path, value in sets)
    return Spec(source.file, source.text, valid(own, moved), moved, source.parent, named, sets=given)


def at(places: Places, path: tuple[str | int, ...], message: str, hint: str) -> Diagnostic:
    """A fault of the grid."""
    place: Place = places.place(path)
    return Diagnostic("grid", message, place.file, place.line, place.column, place.end_column, path, hint)


def unique(faults: list[Diagnostic]) -> Iterator[Diagnostic]:
    """Each fault once, however many trials have it, in the order of the text."""
    seen = {(each.file, each.line, each.column, each.code, each.message): each for each in reversed(faults)}
    yield from sorted(seen.values(), key=lambda each: (each.file, each.line, each.column))
