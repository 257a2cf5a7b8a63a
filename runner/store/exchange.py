"""Exchange: rows as other programs open them: Markdown, files, and CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import RunnerError
from runner.store.formats.csv import FORMULA

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".md": "markdown"}


def csv(table: pa.Table) -> str:
    """Rows without nested columns as CSV; texts that a spreadsheet would compute begin with an apostrophe."""
    import pyarrow.csv as pc

    sink = io.BytesIO()
    pc.write_csv(guarded(table), sink)
    return sink.getvalue().decode()


def guarded(table: pa.Table) -> pa.Table:
    """An apostrophe before each text, and name of a column, that begins like a formula; numbers stay as they are."""
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        column = table.column(index)
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = pa.chunked_array([[safe(value) for value in column.to_pylist()]], field.type)
        table = table.set_column(index, safe(field.name), column)
    return table


def safe(text: Any) -> Any:
    """One text."""
    return f"'{text}" if isinstance(text, str) and re.match(FORMULA, text) else text


def markdown(table: pa.Table) -> str:
    """Rows as a table of Markdown, numbers to the right."""
    import pyarrow as pa

    from runner.store.query import cell

    numbers = [pa.types.is_integer(field.type) or pa.types.is_floating(field.type) for field in table.schema]
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    lines = [table.column_names, ["---:" if number else "---" for number in numbers]]
    lines += [[cell(value) for value in row] for row in rows]
    return "".join(f"| {' | '.join(escaped(each) for each in line)} |\n" for line in lines)


def escaped(text: str) -> str:
    """A cell that ends neither its column nor its row."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\r", " ").replace("\n", " ")


def write(table: pa.Table, path: Path) -> None:
    """Rows as a file of the kind that its ending names; RunnerError for another one."""
    from runner.store.query import render

    if path.suffix != ".parquet" and path.suffix not in ENDINGS:
        known = ", ".join([".parquet", *ENDINGS])
        raise RunnerError(f"`{path}` has no ending that names a format", f"end it with one of {known}")
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, path)
        else:
            path.write_text(render(table, ENDINGS[path.suffix]), encoding="utf-8")
    except OSError as error:
        raise RunnerError(f"cannot write `{path}`: {error}", "choose another path for --output") from error
