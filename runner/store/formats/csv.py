"""CSV: a file a table, for spreadsheets and eyes; a text that a spreadsheet would take for a formula begins with `'`.

It has no logs and cannot come back in.
"""

from __future__ import annotations

from pathlib import Path

from runner.store.export import Moment, quoted
from runner.store.formats._folder import folder
from runner.store.tables import TABLES

# Spreadsheets compute what begins so, some also its full-width forms. A number with a sign is only a number. As texts
# that look guarded get one more apostrophe, dropping the first of those that match gives every text back.
FORMULA = r"^'*[=+\-@\t\r\n＝＋－＠]"
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$"


def write(moment: Moment, target: str) -> dict[str, int]:
    """Write all tables of the chosen runs."""
    with folder(target, "csv") as (built, about):
        built.mkdir()
        rows = {name: table(moment, name, built / f"{name}.csv") for name in moment.tables}
        about |= {"runs": len(moment.runs), "rows": rows}
    return {"tables": len(rows), "rows": sum(rows.values())}


def table(moment: Moment, name: str, place: Path) -> int:
    """One table; how many rows."""
    kinds = {column: kind for column, (kind, _) in TABLES[name].columns.items()}
    columns = [guarded(column) if kind in ("VARCHAR", "JSON") else f'"{column}"' for column, kind in kinds.items()]
    sql = f"SELECT {', '.join(columns)} FROM {name} SEMI JOIN chosen USING (run)"
    (count,) = moment.con.execute(f"COPY ({sql}) TO '{quoted(str(place))}' (FORMAT csv, HEADER)").fetchone() or (0,)
    return int(count)


def guarded(column: str) -> str:
    """A column of texts in SQL, in which no text is a formula."""
    text, formula = f'"{column}"::VARCHAR', quoted(FORMULA)
    harmless = f"NOT regexp_matches({text}, '{formula}') OR regexp_matches({text}, '{NUMBER}', 'i')"
    return f"CASE WHEN {harmless} THEN {text} ELSE '''' || {text} END AS \"{column}\""
