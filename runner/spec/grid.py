"""Grid: which values of which fields are tried; the table as written, and its axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import ConfigDict, Field, model_validator

from runner.errors import did_you_mean
from runner.kinds import Table, bad_value

Keys = tuple[str | int, ...]
MOST = 10_000  # trials of one grid


class Axis(NamedTuple):
    """The field that it sets, the place of its values in the grid, and the values in order."""

    path: Keys
    where: Keys
    values: list[Any]

    @property
    def name(self) -> str:
        """The path with dots."""
        return ".".join(map(str, self.path))


class Grid(Table):
    """Fields and the values to try: `"train.learning_rate" = [1e-4, 3e-4]`; a value may be a whole table.

    An axis may be `seed` too. Several grids, `[[grid]]`, are tried one after the other; what two of them share is one
    trial.
    """

    model_config = ConfigDict(extra="allow")

    combine: Literal["product", "zip", "random"] = "product"
    """How values meet: all with all, those of the same place, or `max_trials` of all with all. Default product."""
    max_trials: Annotated[int, Field(ge=1, le=MOST)] | None = None
    """Number of trials that `random` draws, without repeats."""
    draw_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of what `random` draws. Default 0."""
    points: Annotated[list[dict[str, Any]], Field(min_length=1)] | None = None
    """Trials one by one instead of axes: `[{ "train.learning_rate" = 1e-4, "train.epochs" = 5 }]`."""
    exclude: list[dict[str, Any]] = Field(default=[])
    """Trials to leave out: those that have all values of one of these tables."""

    @model_validator(mode="after")
    def sound(self) -> Self:
        found = list(axes(self.model_extra or {}))
        for axis in found:
            check(axis)
        if self.points is None and not found:
            raise bad_value("the grid has no axis", 'write one: `"train.learning_rate" = [1e-4, 3e-4]`')
        if self.points is not None and found:
            raise bad_value("`points` and axes exclude each other", "make two grids with `[[grid]]`", key="points")
        if (self.combine == "random") != (self.max_trials is not None):
            raise bad_value('`combine = "random"` and `max_trials` go together', "write both or none", key="combine")
        if self.combine == "zip" and len({len(axis.values) for axis in found}) > 1:
            counts = ", ".join(f"`{axis.name}` has {len(axis.values)}" for axis in found)
            raise bad_value(f"zip needs as many values on each axis: {counts}", "add some, or `product`", key="combine")
        self.known(found)
        return self

    def known(self, found: list[Axis]) -> None:
        """What is excluded must be what the grid sets."""
        names = [axis.name for axis in found] + [".".join(map(str, path)) for path in self.listed()]
        for table in self.exclude:
            for path, _, _ in leaves(table):
                name = ".".join(map(str, path))
                if name not in names:
                    raise bad_value(f"no axis `{name}`", did_you_mean(name, names), key="exclude")

    def listed(self) -> Iterator[Keys]:
        """The paths that `points` set."""
        for table in self.points or ():
            yield from (path for path, _, _ in leaves(table))


def check(axis: Axis) -> None:
    """Values are an array; RunnerError names the word that was meant."""
    key = str(axis.where[0])
    if not isinstance(axis.values, list):
        raise bad_value(f"`{axis.name}` is one value, an axis has several", "write `[...]` around them", key=key)
    if not axis.values:
        raise bad_value(f"`{axis.name}` has no value", "write at least one, or leave it out", key=key)
    if axis.path == ("seeds",):
        raise bad_value("an axis takes one value a trial", "write `seed = [1, 2]`", key=key)
    if axis.path[0] in ("name", "extends", "grid"):
        raise bad_value(f"`{axis.path[0]}` is no axis", "it is the same for the whole grid", key=key)


def axes(table: Mapping[str, Any], where: Keys = ()) -> Iterator[Axis]:
    """The axes of a grid: dotted keys in quotes, or tables within tables down to arrays."""
    options = Grid.model_fields
    for path, place, value in leaves({key: value for key, value in table.items() if key not in options}, where):
        yield Axis(path, place, value)


def leaves(table: Mapping[str, Any], where: Keys = ()) -> Iterator[tuple[Keys, Keys, Any]]:
    """What tables within tables hold: its path with keys cut at their dots, its place, and the value."""
    for key, value in table.items():
        path = tuple(key.split("."))
        if "." not in key and isinstance(value, dict) and value and all(map(nested, value.values())):
            yield from (((*path, *below), place, leaf) for below, place, leaf in leaves(value, (*where, key)))
        else:
            yield path, (*where, key), value


def nested(value: Any) -> bool:
    """Whether it is no value yet, but an axis or a table of axes."""
    return isinstance(value, dict | list)
