"""View: what the database derives from its tables, with sentences that stand in it as comments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A view: its sentence, its query and a sentence for each column in order."""

    comment: str
    sql: str
    columns: dict[str, str]


@dataclass(frozen=True)
class Macro:
    """A macro: its sentence, its parameters, its query or expression and a sentence for each column of a query."""

    comment: str
    parameters: tuple[str, ...]
    sql: str
    columns: dict[str, str]
