"""The schema in docs/store.md, made from the tables and views; `python -m runner.store.document` writes it anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runner.store import definitions
from runner.store.narrow import NARROW
from runner.store.tables import TABLES
from runner.store.view import Table, View
from runner.store.views import VIEWS

FILE = Path(__file__).parents[2] / "docs" / "store.md"
BEGIN, END = "<!-- columns: made by `python -m runner.store.document` -->\n", "<!-- end of columns -->\n"
MARK = " \\*"
HEAD = """
`metrics` and `metric_last` are views over narrow tables, whose rows have numbers in place of words; ask the views. A
later record replaces earlier rows that agree with it in the columns marked \\*. All times are UTC.
"""


def text() -> str:
    """All tables with their columns, then the columns of views."""
    tables: Mapping[str, Table] = TABLES | {"metric_definitions": definitions.TABLE}
    found = [HEAD, *(section(name, table) for name, table in tables.items())]
    found += ["### Narrow tables\n", *(section(name, table) for name, table in NARROW.items())]
    views = [viewed(name, view) for name, view in VIEWS.items()]
    return "\n".join([*found, "### Columns of views\n", *views])


def section(name: str, table: Table) -> str:
    """One table."""
    rows = [
        f"| `{column}`{MARK * (column in table.scope)} | {kind} | {sentence} |"
        for column, (kind, sentence) in table.columns.items()
    ]
    return "\n".join([f"#### `{name}`\n", table.comment, "", "| column | type | is |", "|---|---|---|", *rows, ""])


def viewed(name: str, view: View) -> str:
    """One view."""
    rows = [f"| `{column}` | {sentence} |" for column, sentence in view.columns.items()]
    return "\n".join([f"#### `{name}`\n", "| column | is |", "|---|---|", *rows, ""])


def placed(page: str) -> str:
    """The page with the schema of today between its marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}{text()}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    FILE.write_text(placed(FILE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
