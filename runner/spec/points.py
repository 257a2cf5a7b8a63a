"""Points: what each trial of a grid sets, as the tables of a spec, and where that stands."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from runner.spec.grid import Axis, Keys, axes, leaves
from runner.spec.places import Place, Places

Set = tuple[Keys, Keys, Any]  # the field, the place of the value, the value


@dataclass(frozen=True)
class Moved(Places):
    """Places of a spec of which some fields were set by a grid; `moved` maps a field to the place of its value.

    What was `given` from outside stands in no file.
    """

    moved: Mapping[Keys, Keys] = field(default_factory=dict)
    given: Sequence[Keys] = ()

    def place(self, path: Keys, what: Any = "key") -> Place:
        """The place in the grid of what it sets, or of the axis that made the table around it."""
        if any(path[: len(each)] == each for each in self.given):
            return Place("--set", 0, 0, 0)
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.moved:
                return super().place((*self.moved[path[:depth]], *path[depth:]), "value")
        inside = [place for at, place in self.moved.items() if path and at[: len(path)] == path]
        return super().place(path, what) if not inside or self.written(path) else super().place(inside[0])


def points(grid: Any) -> list[list[Set]]:
    """What each trial sets, in order; of a grid that is no grid, nothing."""
    grids = [(("grid",), grid)] if isinstance(grid, dict) else [(("grid", at), each) for at, each in enumerate(grid)]
    return [found for where, each in grids for found in of(each, where)]


def of(grid: Mapping[str, Any], where: Keys) -> Iterator[list[Set]]:
    """The same of one grid."""
    listed = grid.get("points")
    if listed is not None:
        found: Any = (list(leaves(table, (*where, "points", at))) for at, table in enumerate(listed))
    else:
        found = met(list(axes(grid, where)), grid)
    excluded = [{path: value for path, _, value in leaves(table)} for table in grid.get("exclude", ())]
    for each in found:
        values = {path: value for path, _, value in each}
        if not any(all(same(values.get(path, ...), value) for path, value in table.items()) for table in excluded):
            yield each


def met(found: Sequence[Axis], grid: Mapping[str, Any]) -> Iterator[list[Set]]:
    """The values of axes as they meet."""
    sizes = [len(axis.values) for axis in found]
    combine = grid.get("combine", "product")
    if combine == "zip":
        places: Any = ([at] * len(found) for at in range(sizes[0]))
    elif combine == "random":
        places = drawn(sizes, grid["max_trials"], grid.get("draw_seed", 0))
    else:
        places = product(*map(range, sizes))
    for place in places:
        yield [(axis.path, (*axis.where, at), axis.values[at]) for axis, at in zip(found, place, strict=True)]


def drawn(sizes: Sequence[int], count: int, seed: int) -> Iterator[tuple[int, ...]]:
    """Some of all combinations, without repeats, in the order drawn; all of them where there are no more."""
    total = min(prod(sizes), sys.maxsize)
    for number in random.Random(seed).sample(range(total), min(count, total)):
        yield unravelled(number, sizes)


def unravelled(number: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """The place on each axis of a combination, of which the last axis turns fastest."""
    found: list[int] = []
    for size in reversed(sizes):
        number, place = divmod(number, size)
        found.append(place)
    return tuple(reversed(found))


def count(grid: Any) -> int:
    """How many trials a grid can have at most, before any is made."""
    grids = [grid] if isinstance(grid, dict) else grid
    return sum(
        len(each["points"])
        if each.get("points") is not None
        else each.get("max_trials") or prod(len(axis.values) for axis in axes(each))
        for each in grids
    )


def same(one: Any, other: Any) -> bool:
    """Equal values; 1 is 1.0, but no truth."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def applied(tables: Mapping[str, Any], point: Sequence[Set]) -> dict[str, Any]:
    """The tables of a spec with the values of one point; the original stays as it is."""
    made: Any = {key: value for key, value in tables.items() if key not in ("grid", "search")}
    for path, _, value in sorted(point, key=lambda one: len(one[0])):  # a table before what is in it
        if path == ("seed",):
            made.pop("seeds", None)
        made = put(made, path, value)
    return dict(made)


def put(tables: Any, path: Keys, value: Any) -> Any:
    """Tables with one value set; LookupError where there is no such place."""
    if not path:
        return value
    head, *rest = path
    if isinstance(tables, list):
        at = int(head) if str(head).isdigit() else -1
        if not 0 <= at < len(tables):
            raise LookupError(f"an array of {len(tables)} has no place `{head}`")
        return [put(each, tuple(rest), value) if place == at else each for place, each in enumerate(tables)]
    if not isinstance(tables, dict):
        raise LookupError(f"`{head}` stands below a value that is no table")
    return {**tables, head: put(tables.get(head, {}), tuple(rest), value)}
