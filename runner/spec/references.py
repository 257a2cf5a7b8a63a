"""Names in a spec that refer to other tables of it: the data sets of tasks, and the columns that tasks read.

Works on tables as written, so that a wrong word elsewhere hides none of these faults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from runner.errors import Diagnostic, did_you_mean
from runner.parts.tasks._task import Task
from runner.spec.fields import Path, at
from runner.spec.places import Places


class Unknown(NamedTuple):
    """A word that refers to nothing, where it stands, and what it may be."""

    code: str
    path: Path
    message: str
    word: Any
    allowed: Sequence[str]


def references(tables: Any, places: Places, known: Sequence[Diagnostic] = ()) -> list[Diagnostic]:
    """Every name that refers to nothing, but for those that may follow from a `known` fault."""
    faulty = {each.path for each in known}
    misnamed = any(each.code == "bad-name" and each.path[:1] == ("data",) for each in known)
    found = [*(() if misnamed else data_sets(tables)), *columns(tables, faulty)]
    return [shown(each, places) for each in found if each.path not in faulty and each.path[:-1] not in faulty]


def data_sets(tables: Any) -> Iterator[Unknown]:
    """What tasks learn from must be a data set; without a table of data sets nobody can tell."""
    allowed = list(inside(tables, "data"))
    for name, task in inside(tables, "tasks").items() if allowed else ():
        for index, word in enumerate(entries(task, "data")):
            if word not in allowed:
                path = ("tasks", name, "data", index)
                yield Unknown("unknown-name", path, f"no data set `{word}`", word, allowed)


def columns(tables: Any, faulty: set[Path]) -> Iterator[Unknown]:
    """Preparation works on what the tasks of a data set read; a task with a fault may read another column."""
    for name, data in inside(tables, "data").items():
        tasks = {key: task for key, task in inside(tables, "tasks").items() if name in entries(task, "data")}
        if tasks and not any(path[:2] == ("tasks", key) for path in faulty for key in tasks):
            yield from inputs(name, data, [each for task in tasks.values() for each in read(task, "input")])
            targets = [each for task in tasks.values() for each in read(task, "target")]
            for word in entries(data, "balance_by"):
                if word not in targets:
                    path = ("data", name, "balance_by")
                    yield Unknown("balance", path, f"`{word}` is no target of a task", word, targets)


def inputs(name: str, data: Any, allowed: Sequence[str]) -> Iterator[Unknown]:
    """Cleaners and augmentations work on input columns only."""
    for key in ("clean", "augment"):
        for place, part in enumerate(entries(data, key)):
            for index, word in enumerate(entries(part, "columns")):
                if word not in allowed:
                    path = ("data", name, key, place, "columns", index)
                    yield Unknown("column", path, f"no task reads a column `{word}`", word, allowed)


def read(task: Any, key: str) -> list[Any]:
    """The columns that a task names under this key, or the default ones."""
    return entries({key: Task.model_fields[key].default, **task}, key)


def inside(tables: Any, key: str) -> dict[str, Any]:
    """The tables in a table of tables; none where something else was written."""
    found = at(tables, (key,))
    return {name: each for name, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}


def entries(table: Any, key: str) -> list[Any]:
    """The words under a key, be it one or an array of them."""
    found = at(table, (key,))
    return found if isinstance(found, list) else [found] if isinstance(found, str) else []


def shown(found: Unknown, places: Places) -> Diagnostic:
    """The fault at its place."""
    place = places.place(found.path, "value")
    hint = did_you_mean(str(found.word), set(found.allowed))
    at_ = (place.file, place.line, place.column, place.end_column)
    return Diagnostic(found.code, found.message, *at_, found.path, hint)
