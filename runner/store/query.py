"""Ask the published copy of the database, read-only, after catching up with the logs."""

from __future__ import annotations

import io
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb

from runner.errors import RunnerError, nearest
from runner.store import tables
from runner.store.ingest import ingest
from runner.store.macros import MACROS
from runner.store.tables import TABLES
from runner.store.view import Macro, View
from runner.store.views import VIEWS
from runner.store.working import PUBLISHED, fault

if TYPE_CHECKING:
    import pyarrow as pa

Params: TypeAlias = Sequence[Any] | Mapping[str, Any]
Ask: TypeAlias = "Callable[..., pa.Table]"  # of SQL and its parameters

FORMATS = ("table", "markdown", "csv", "json", "jsonl")


def query(results: Path, sql: str, params: Params = ()) -> pa.Table:
    """The rows of a statement; RunnerError with DuckDB's words and the nearest name where it is wrong."""
    if not sql.strip():
        raise RunnerError("no SQL to run", 'try: runner query "SELECT * FROM run_summary"')
    with asking(results) as ask:
        return ask(sql, params)


@contextmanager
def asking(results: Path) -> Iterator[Ask]:
    """Several statements about one state of the store, whatever runs write meanwhile."""
    ingest(results)
    try:
        con = opened(results / PUBLISHED)
    except duckdb.Error as error:
        raise fault(results / PUBLISHED, error) from error
    try:
        yield partial(rows_of, con)
    finally:
        con.close()


def rows_of(con: duckdb.DuckDBPyConnection, sql: str, params: Params = ()) -> pa.Table:
    """The rows of a statement on a connection."""
    try:
        found = con.sql(sql, params=dict(params) if isinstance(params, Mapping) else list(params))
        if found is None:
            raise RunnerError("the statement has no rows to show", "ask with SELECT, FROM, DESCRIBE or SHOW")
        return found.to_arrow_table()
    except duckdb.Error as error:
        raise RunnerError(str(error).strip(), hint(str(error))) from error


def opened(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection of its own: one that this program keeps open under the same path would be shared, old rows too."""
    con = duckdb.connect()
    quoted = str(path).replace("'", "''")
    con.execute(f"ATTACH '{quoted}' AS results (READ_ONLY)")
    con.execute("USE results")
    return con


def hint(message: str) -> str:
    """What may have been meant."""
    if "read-only" in message:
        return "results are read-only here; the logs under `runs/` are their source"
    if re.search(r"` names \d+ runs", message):
        return "`runner ls` lists the runs; the beginning of a name must be that of one only"
    owners: dict[str, tables.Table | View | Macro] = {**TABLES, **VIEWS, **MACROS}
    columns = {column for owner in owners.values() for column in owner.columns}
    table = re.search(r"(?:Table|Table Function) with name (\S+)", message)
    column = re.search(r'(?:column named|Referenced column|have a column) "([^"]+)"', message)
    near = nearest(table[1], owners) if table else nearest(column[1], columns) if column else ""
    return f"did you mean `{near}`?" if near else "tables, views and macros: " + ", ".join(sorted(owners))


def render(table: pa.Table, format: str = "table") -> str:
    """Rows as text in one of `FORMATS`; an empty result keeps its header."""
    if format in ("csv", "markdown"):
        from runner.store import exchange

        return exchange.csv(flat(table)) if format == "csv" else exchange.markdown(table)
    rows = records(table) if format in ("json", "jsonl") else []
    if format == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
    if format == "json":
        return json.dumps(rows, indent=2, ensure_ascii=False, default=str) + "\n"
    return drawn(table)


def records(table: pa.Table) -> list[dict[str, Any]]:
    """A JSON object a row; of columns with equal names the later ones get a number."""
    import pyarrow as pa

    seen: Counter[str] = Counter()
    columns = {}
    for kind, column in zip(table.schema, table.columns, strict=True):
        name = f"{kind.name}_{seen[kind.name]}" if seen[kind.name] else kind.name
        seen[kind.name] += 1
        mapped = pa.types.is_map(kind.type)
        columns[name] = [{} if mapped and value == [] else plain(value) for value in column.to_pylist()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def plain(value: Any) -> Any:
    """A value for strict JSON: maps as objects, non-finite floats as the strings "NaN", "Infinity" and "-Infinity"."""
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        pairs = bool(value) and all(isinstance(each, tuple) for each in value)
        return plain(dict(value)) if pairs else [plain(each) for each in value]
    return value


def flat(table: pa.Table) -> pa.Table:
    """Nested columns as text, which CSV can hold."""
    import pyarrow as pa

    for index, kind in enumerate(table.schema):
        if pa.types.is_nested(kind.type):
            values = [
                None if v is None else json.dumps(plain(v), default=str, ensure_ascii=False)
                for v in table.column(index).to_pylist()
            ]
            table = table.set_column(index, kind.name, pa.array(values, pa.string()))
    return table


def drawn(table: pa.Table) -> str:
    """A table for people: numbers to the right, long texts folded on a terminal."""
    import pyarrow as pa
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = Table(box=SIMPLE_HEAD, pad_edge=False)
    for kind in table.schema:
        number = pa.types.is_integer(kind.type) or pa.types.is_floating(kind.type)
        out.add_column(kind.name, justify="right" if number else "left", overflow="fold")
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        out.add_row(*(Text(cell(value)) for value in row))
    live = sys.stdout.isatty()
    console = Console(file=io.StringIO(), width=None if live else 10_000, no_color=True)
    with console.capture() as caught:
        console.print(out)
    return "\n".join(line.rstrip() for line in caught.get().rstrip().splitlines()) + "\n"


def cell(value: Any) -> str:
    """One value for a person."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return ", ".join(f"{key}={cell(each)}" for key, each in value)
    return str(value).replace("\n", " ")
