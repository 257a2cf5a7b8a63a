"""Ask the published copy of the database, read-only, after catching up with the logs."""

from __future__ import annotations

import io
import json
import math
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import duckdb

from runner.errors import RunnerError, nearest
from runner.store import tables
from runner.store.macros import MACROS
from runner.store.ruled import ruled
from runner.store.seen import unchanged
from runner.store.tables import TABLES
from runner.store.view import Macro, View
from runner.store.views import VIEWS
from runner.store.working import PUBLISHED, fault

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
Params: TypeAlias = Sequence[Any] | Mapping[str, Any]
Ask: TypeAlias = "Callable[..., pa.Table]"  # of SQL and its parameters

MOST = 10_000  # rows of a table for people
FORMATS = ("table", "markdown", "csv", "json", "jsonl")
NUMBERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)


class Limits(NamedTuple):
    """What a statement may: read files and the network too, and go on for so many seconds; None for ever."""

    external: bool = False
    seconds: float | None = None


FREE = Limits()


def query(results: Path, sql: str, params: Params = (), limits: Limits = FREE) -> pa.Table:
    """The rows of a statement; RunnerError with DuckDB's words and the nearest name where it is wrong."""
    if not sql.strip():
        raise RunnerError("no SQL to run", 'try: runner query "SELECT * FROM run_summary"')
    with connected(results) as con, limited(con, limits):
        return heeding(con, lambda: rows_of(con, sql, params))


@contextmanager
def limited(con: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    """What is asked meanwhile reads nothing but the store unless it may, and is given up when its time is over."""
    if not limits.external:
        con.execute("SET enable_external_access = false")
    if limits.seconds is None:
        yield
        return
    if not 0 < limits.seconds < threading.TIMEOUT_MAX:
        raise RunnerError(f"no statement can end after {limits.seconds:g} seconds", "give `--timeout` more than 0")
    over = threading.Event()
    watch = threading.Thread(target=stop, args=(con, limits.seconds, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def stop(con: duckdb.DuckDBPyConnection, seconds: float, over: threading.Event) -> None:
    """Interrupt, again and again until it is over: one that comes before or between statements is forgotten."""
    while not over.wait(seconds):
        con.interrupt()
        seconds = 0.05


def told(results: Path, sql: str, params: Params = (), limits: Limits = FREE) -> tuple[str, int]:
    """The rows of a statement as a table for people, and how many it shows: at most `MOST`.

    Asked most, it loads no Arrow, and no rich but on a terminal.
    """
    with connected(results) as con, explained(), limited(con, limits):
        found, shown = heeding(con, lambda: some(relation(con, sql, params)))
        kinds = [str(each) for each in found.types]
        right = [kind in NUMBERS or kind.startswith("DECIMAL") for kind in kinds]
        rows = [[cell(pairs(*each)) for each in zip(row, kinds, strict=True)] for row in shown]
        more = f"... more than {MOST:,} rows: LIMIT them, or write them with --output\n" if len(rows) > MOST else ""
        return draw(found.columns, right, rows[:MOST]) + more, len(rows)


def some(found: duckdb.DuckDBPyRelation) -> tuple[duckdb.DuckDBPyRelation, list[tuple[Any, ...]]]:
    """A relation and as many of its rows as a table shows, and one more."""
    return found, found.limit(MOST + 1).fetchall()


def heeding(con: duckdb.DuckDBPyConnection, act: Callable[[], T]) -> T:
    """What `act` gives: it works in a thread of its own, for DuckDB may leave Ctrl-C unheard as long as it computes."""
    found: list[T] = []
    faults: list[BaseException] = []
    over = threading.Event()  # an interrupted `join` takes a thread for ended in Python 3.11

    def work() -> None:
        try:
            found.append(act())
        except BaseException as error:
            faults.append(error)
        finally:
            over.set()

    threading.Thread(target=work, daemon=True).start()
    try:
        over.wait()
    except KeyboardInterrupt:
        while not over.wait(0.05):
            con.interrupt()
        raise
    if faults:
        raise faults[0]
    return found[0]


def pairs(value: Any, kind: str) -> Any:
    """A value as Arrow gives it: maps as lists of pairs."""
    return [*value.items()] if kind.startswith("MAP") and isinstance(value, dict) else value


@contextmanager
def asking(results: Path) -> Iterator[Ask]:
    """Several statements about one state of the store, whatever runs write meanwhile."""
    with connected(results) as con:
        yield partial(rows_of, con)


@contextmanager
def connected(results: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the published copy, up to date."""
    if not unchanged(results):
        from runner.store.ingest import ingest

        ingest(results)
    try:
        con = opened(results / PUBLISHED)
    except duckdb.Error as error:
        raise fault(results / PUBLISHED, error) from error
    try:
        yield con
    finally:
        con.close()


def rows_of(con: duckdb.DuckDBPyConnection, sql: str, params: Params = ()) -> pa.Table:
    """The rows of a statement on a connection."""
    with explained():
        return relation(con, sql, params).to_arrow_table()


def relation(con: duckdb.DuckDBPyConnection, sql: str, params: Params = ()) -> duckdb.DuckDBPyRelation:
    """A statement that has rows."""
    found = con.sql(sql, params=dict(params) if isinstance(params, Mapping) else list(params))
    if found is None:
        raise RunnerError("the statement has no rows to show", "ask with SELECT, FROM, DESCRIBE or SHOW")
    return found


@contextmanager
def explained() -> Iterator[None]:
    """DuckDB's words, with what may have been meant."""
    try:
        yield
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
    if "Corrupt database" in message:
        return "`runner store rebuild` makes it again from the logs"
    if re.search(r"file system operations are disabled|external[ _](access|extensions)", message):
        return "only the store is read; `--external` allows files and URLs too"
    if "Interrupted" in message:
        return "its time was over; ask for less, or give it longer by `--timeout`"
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

    right = [pa.types.is_integer(kind.type) or pa.types.is_floating(kind.type) for kind in table.schema]
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return draw(table.column_names, right, [[*map(cell, row)] for row in rows])


def draw(names: Sequence[str], right: Sequence[bool], rows: list[list[str]]) -> str:
    """Names and cells as a table; on a terminal by rich, which knows how wide it is."""
    if not sys.stdout.isatty():
        return ruled(names, right, rows)
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, number in zip(names, right, strict=True):
        out.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        out.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), no_color=True)
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
