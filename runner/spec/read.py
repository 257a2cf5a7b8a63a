"""Read a spec: TOML text with its places -> Spec, or every fault of the file at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import tomli
from pydantic import ValidationError

from runner.errors import Diagnostic, SpecError
from runner.kinds import known, pick
from runner.spec.places import Places
from runner.spec.tables import Experiment

Sets = Sequence[tuple[str, Any]]  # dotted fields and their values


class Source(NamedTuple):
    """A spec file as it was read."""

    file: Path
    text: str
    tables: dict[str, Any]
    places: Places
    parent: Path | None


@dataclass(frozen=True)
class Spec:
    """What the author wrote, and where; a grid makes a variant of each `point`, dotted fields and their values."""

    file: Path
    text: str
    experiment: Experiment
    places: Places
    parent: Path | None = None
    point: Mapping[str, Any] = field(default_factory=dict)
    variants: tuple[Spec, ...] = ()
    sets: Sets = ()

    @property
    def trials(self) -> tuple[Spec, ...]:
        """The spec of each point of the grid, or this one where there is none."""
        return self.variants or (self,)

    @property
    def folder(self) -> Path:
        """The folder that paths in the spec are relative to."""
        return self.file.parent


def read(file: Path, sets: Sets = (), point: Mapping[str, Any] | None = None) -> Spec:
    """The spec in a file, or of one point of its grid, with fields set from outside; SpecError with all its faults."""
    text, tables = parse(file)
    places, parent = Places(text, str(file)), None
    if "extends" in tables:
        tables, places, parent = extended(file, text, tables)
    if tables.keys() & {"grid", "search"} or sets or point:
        from runner.spec.spread import pointed, spread

        source = Source(file, text, tables, places, parent)
        return spread(source, sets) if point is None else pointed(source, point, sets)
    return Spec(file, text, valid(tables, places), places, parent)


def valid(tables: dict[str, Any], places: Places) -> Experiment:
    """The experiment of tables; SpecError with all their faults."""
    try:
        return Experiment.model_validate(tables)
    except ValidationError as error:
        from runner.spec.diagnose import diagnose  # its words are of no use to a valid spec

        raise SpecError(diagnose(error, tables, places)) from None


def parse(file: Path) -> tuple[str, dict[str, Any]]:
    """Text and tables of a TOML file."""
    text = decoded(file)
    try:
        tables = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        hint = "strings need quotes, keys of a table stand below its [header], each key stands once"
        message = f"not TOML: {error.msg}"
        raise SpecError(
            [Diagnostic("not-toml", message, str(file), error.lineno, error.colno, error.colno, (), hint)]
        ) from None
    if not tables:
        raise SpecError(
            [
                Diagnostic(
                    "empty",
                    "the file holds no key",
                    str(file),
                    1,
                    1,
                    1,
                    (),
                    "`runner init` writes a spec to start from",
                )
            ]
        )
    return text, tables


def decoded(file: Path) -> str:
    """The file's text, with its line ends as they are."""
    try:
        content = file.read_bytes()
    except OSError as error:
        hint = "check the path; specs usually lie in `specs/`"
        raise SpecError(
            [Diagnostic("unreadable", f"cannot read the file: {error.strerror}", str(file), 0, 0, 0, (), hint)]
        ) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8: byte 0x{content[error.start]:02x}"
        raise SpecError(
            [Diagnostic("unreadable", message, str(file), line, 1, 1, (), "save the file as UTF-8")]
        ) from None


def extended(file: Path, text: str, tables: dict[str, Any]) -> tuple[dict[str, Any], Places, Path | None]:
    """The child's tables over the parent's, and places in both texts."""
    own, where = Places(text, str(file)), tables["extends"]
    if not isinstance(where, str):
        return tables, own, None
    parent = file.parent / where
    place = own.place(("extends",), "value")
    at = (str(file), place.line, place.column, place.end_column, ("extends",))
    if not parent.is_file():
        raise SpecError([Diagnostic("unreadable", f"no spec `{where}` to extend", *at, hint=f"looked at `{parent}`")])
    parent_text, above = parse(parent)
    if "extends" in above:
        message = f"`{where}` extends a spec itself; one level is allowed"
        raise SpecError(
            [Diagnostic("extends-chain", message, *at, hint="copy what you need, or extend the first spec")]
        )
    relocate(above, parent.parent, file.parent)
    return merge(above, tables), Places(text, str(file), Places(parent_text, str(parent))), parent


def relocate(tables: dict[str, Any], old: Path, new: Path) -> None:
    """Rewrite the parent's relative paths so that they hold from the child's folder."""
    for data in values(tables.get("data")):
        for split in ("train", "validation", "test"):
            written = data.get(split)
            if isinstance(written, str) and not written.startswith(("hub:", "~", "/")):
                data[split] = os.path.relpath(old / written, new)
        relocate_parts("augment", data.get("augment"), old, new)
    for task in values(tables.get("tasks")):
        for how in values({"generate": task.get("generate")}):
            relocate_parts("proxies", how.get("proxies"), old, new)
    move_model(tables.get("model"), "base", old, new)


def relocate_parts(family: str, parts: Any, old: Path, new: Path) -> None:
    """The same for the models and files that augmentations or proxies name."""
    for table in parts if isinstance(parts, list) else ():
        if isinstance(table, dict) and known(family, table.get("type")):
            part: Any = pick(family, table["type"])
            for field in part.models:
                move_model(table, field, old, new)
            for field in part.files:
                if isinstance(table.get(field), str) and not table[field].startswith(("~", "/")):
                    table[field] = os.path.relpath(old / table[field], new)


def move_model(table: Any, field: str, old: Path, new: Path) -> None:
    """Rewrite the field if it is a relative path of a model."""
    if isinstance(table, dict) and is_folder(table.get(field), old):
        moved = os.path.relpath(old / table[field], new) + "/"
        table[field] = moved if moved.startswith(".") else f"./{moved}"


def is_folder(base: Any, here: Path) -> bool:
    """Whether a base is a path relative to `here`, and no hub id or package."""
    if not isinstance(base, str) or base.startswith(("~", "/", "package:")):
        return False
    return base.startswith(".") or (here / base).is_dir()


def values(table: Any) -> list[dict[str, Any]]:
    """The tables inside a table."""
    return [each for each in table.values() if isinstance(each, dict)] if isinstance(table, dict) else []


def merge(below: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Tables merged key by key, everything else replaced; a part of another kind replaces the whole table."""
    for key in ("type", "strategy"):
        if key in over and over[key] != below.get(key):
            return over
    merged = dict(below)
    if "seed" in over or "seeds" in over:
        merged = {key: value for key, value in merged.items() if key not in ("seed", "seeds")}
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
