"""What the database is made of: tables, views over them, macros, with sentences that stand in it as comments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table: `columns` maps a name to (type, sentence), in the order of rows.

    A record replaces the rows of earlier records that agree with its own rows in all columns of `scope`; an empty
    scope keeps everything. One with a query shows rows that are kept in narrow tables.
    """

    comment: str
    columns: dict[str, tuple[str, str]]
    scope: tuple[str, ...] = ()
    sql: str = ""

    def ddl(self, name: str) -> str:
        """The statement that creates the table where it is missing."""
        columns = ", ".join(f'"{column}" {kind}' for column, (kind, _) in self.columns.items())
        return f"CREATE TABLE IF NOT EXISTS {name} ({columns})"


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
