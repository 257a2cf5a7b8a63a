"""Equality: whether two runs, of two stores, recorded the same scores, points and answers bit by bit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runner.store.query import query

# What is compared: the columns that name a row, then those that must be equal.
KINDS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "scores": ("scores", ("split", "model", "task", "metric"), ("value", "low", "high", "n")),
    "points": ("metrics", ("split", "task", "metric", "step"), ("value",)),
    "answers": (
        "answers",
        ("split", "task", "position"),
        ("id", "gold", "predicted", "confidence", "gold_probability", "text"),
    ),
    "samples": (
        "samples",
        ("split", "task", "model", "position"),
        ("id", "prompt", "gold", "text", "tokens", "ended"),
    ),
}

Rows: TypeAlias = dict[tuple[Any, ...], dict[str, Any]]


class Difference(NamedTuple):
    """A row of which one run says something else, or that only one has."""

    kind: str
    name: str
    column: str
    was: Any
    now: Any


class Compared(NamedTuple):
    """How many rows of a kind there are in either run, and how many of them are equal."""

    rows: int
    equal: int
    differences: list[Difference]


def compared(before: tuple[Path, str], after: tuple[Path, str]) -> dict[str, Compared]:
    """Each kind of what two runs recorded, a run being the folder of its results and its name."""
    return {kind: beside(kind, recorded(kind, *before), recorded(kind, *after)) for kind in KINDS}


def recorded(kind: str, results: Path, run: str) -> Rows:
    """The rows of a run by what names them."""
    table, names, values = KINDS[kind]
    columns = ", ".join(f'"{each}"' for each in (*names, *values))
    asked = query(results, f"SELECT {columns} FROM {table} WHERE run = $run ORDER BY ALL", {"run": run}).to_pylist()
    return {tuple(row[name] for name in names): {name: row[name] for name in values} for row in asked}


def beside(kind: str, before: Rows, after: Rows) -> Compared:
    """Two sets of rows; the first column that differs stands for its row."""
    found = [differing(kind, key, before.get(key), after.get(key)) for key in dict.fromkeys([*before, *after])]
    differences = [each for each in found if each is not None]
    return Compared(len(found), len(found) - len(differences), differences)


def differing(
    kind: str, key: tuple[Any, ...], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Difference | None:
    """In what two rows of one name differ, None where all bits are equal."""
    name = " ".join(str(each) for each in key if each != "")
    if before is None or after is None:
        return Difference(kind, name, "row", there(before), there(after))
    columns = (column for column in before if not same(before[column], after[column]))
    column = next(columns, None)
    return None if column is None else Difference(kind, name, column, before[column], after[column])


def there(row: Mapping[str, Any] | None) -> str:
    """Whether a run has a row."""
    return "missing" if row is None else "there"


def same(one: Any, other: Any) -> bool:
    """Equal bits: NaN equals itself, and 0.0 is not -0.0."""
    if isinstance(one, float) and isinstance(other, float):
        return one.hex() == other.hex()
    return type(one) is type(other) and bool(one == other)
