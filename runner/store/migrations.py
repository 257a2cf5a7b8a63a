"""Steps from the database of an older program to today's: each runs once, in order, and the database remembers it.

A fresh database gets today's tables at once, so a step must do no harm to a table that is already new
(`ADD COLUMN IF NOT EXISTS`). Views, macros and comments are made again whenever their text changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import duckdb

from runner.errors import RunnerError
from runner.store import definitions
from runner.store.derived import derive_all
from runner.store.macros import MACROS
from runner.store.narrow import NARROW
from runner.store.series import sum_up_all
from runner.store.tables import TABLES
from runner.store.view import Macro, Table
from runner.store.views import VIEWS

_OWN = {
    "migrations": Table(
        "The migrations that ran on this database.",
        {
            "number": ("BIGINT", "place in the order, 1-based"),
            "name": ("VARCHAR", "name of the migration"),
            "applied": ("TIMESTAMP", "when it ran, UTC"),
        },
    ),
    "texts": Table(
        "The state of views and comments.",
        {"fingerprint": ("VARCHAR", "hash of the text of all views, macros and comments")},
    ),
}
ALL_TABLES = TABLES | NARROW | {"metric_definitions": definitions.TABLE} | _OWN
KEPT = {name: table for name, table in ALL_TABLES.items() if not table.sql}


def first_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Creates what `tables.py` declares."""
    for name, table in KEPT.items():
        con.execute(table.ddl(name))


def dropped_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Adds the rows that preparation left out."""
    con.execute(TABLES["dropped_rows"].ddl("dropped_rows"))


def answer_shapes(con: duckdb.DuckDBPyConnection) -> None:
    """Adds what form the answers of a task have."""
    con.execute("ALTER TABLE answers ADD COLUMN IF NOT EXISTS shape VARCHAR")


def samples(con: duckdb.DuckDBPyConnection) -> None:
    """Adds the texts that language models wrote."""
    con.execute(TABLES["samples"].ddl("samples"))


def grid_trials(con: duckdb.DuckDBPyConnection) -> None:
    """Adds which runs belong to which grid."""
    con.execute(TABLES["grid_trials"].ddl("grid_trials"))


def narrow_points(con: duckdb.DuckDBPyConnection) -> None:
    """Moves points into rows with numbers in place of words; `settings` becomes a table."""
    kinds = dict(con.execute("SELECT table_name, table_type FROM information_schema.tables").fetchall())
    if kinds.get("settings") == "VIEW":
        con.execute("DROP VIEW settings")
    first_tables(con)
    if kinds.get("metrics") != "BASE TABLE":
        return
    con.execute("ALTER TABLE metrics RENAME TO worded")
    for table, words in {"run_ids": "run", "metric_ids": "split, task, metric"}.items():
        found = f"SELECT {words}, min(rowid) AS place FROM worded GROUP BY ALL"
        con.execute(f"INSERT INTO {table} SELECT row_number() OVER (ORDER BY place), {words} FROM ({found})")
    con.execute(
        "INSERT INTO points SELECT run_id, metric_id, attempt, time, step, epoch, value"
        " FROM worded JOIN run_ids USING (run) JOIN metric_ids USING (split, task, metric) ORDER BY worded.rowid"
    )
    sum_up_all(con)
    con.execute("DROP TABLE worded")


def judgements(con: duckdb.DuckDBPyConnection) -> None:
    """Adds what people, proxies and judges say of answers."""
    for name in ("judgements", "reviews"):
        con.execute(TABLES[name].ddl(name))


def group_scores(con: duckdb.DuckDBPyConnection) -> None:
    """Adds the scores of groups of examples."""
    con.execute(TABLES["group_scores"].ddl("group_scores"))


MIGRATIONS: tuple[Callable[[duckdb.DuckDBPyConnection], None], ...] = (
    first_tables,
    dropped_rows,
    answer_shapes,
    samples,
    grid_trials,
    narrow_points,
    judgements,
    group_scores,
)


def migrate(con: duckdb.DuckDBPyConnection, path: object) -> None:
    """Brings a database up to date, all in one transaction; `path` is how messages call it."""
    for name, table in _OWN.items():
        con.execute(table.ddl(name))
    done = _number(con)
    if done > len(MIGRATIONS):
        raise RunnerError(
            f"`{path}` was made by a newer runner: it has migration {done}, this program knows {len(MIGRATIONS)}",
            "upgrade the runner, or make the database again from the logs: `runner store rebuild`",
        )
    if done == len(MIGRATIONS) and _remembered(con) == fingerprint():
        return
    con.execute("BEGIN")
    for number, step in enumerate(MIGRATIONS[done:], done + 1):
        step(con)
        con.execute(
            "INSERT INTO migrations VALUES (?, ?, now() AT TIME ZONE 'UTC')", [number, getattr(step, "__name__", "")]
        )
    _write_texts(con)
    con.execute("COMMIT")


def _number(con: duckdb.DuckDBPyConnection) -> int:
    row = con.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchone()
    return int(row[0]) if row else 0


def _remembered(con: duckdb.DuckDBPyConnection) -> str:
    row = con.execute("SELECT fingerprint FROM texts").fetchone()
    return str(row[0]) if row else ""


def fingerprint() -> str:
    """What tells this program from others, as far as the database is concerned."""
    return hashlib.sha256(repr((len(MIGRATIONS), ALL_TABLES, VIEWS, MACROS)).encode()).hexdigest()


def _write_texts(con: duckdb.DuckDBPyConnection) -> None:
    for name, macro in MACROS.items():
        if not macro.columns:
            _write_macro(con, name, macro)
    for name, table in TABLES.items():
        if table.sql:
            con.execute(f"CREATE OR REPLACE VIEW {name} AS {table.sql}")
    for name, view in VIEWS.items():
        con.execute(f"CREATE OR REPLACE VIEW {name} AS {view.sql}")
        con.execute(f"COMMENT ON VIEW {name} IS {_quoted(view.comment)}")
        _comment_columns(con, name, view.columns)
    for name, macro in MACROS.items():
        if macro.columns:
            _write_macro(con, name, macro)
    for name, table in ALL_TABLES.items():
        con.execute(f"COMMENT ON {'VIEW' if table.sql else 'TABLE'} {name} IS {_quoted(table.comment)}")
        _comment_columns(con, name, {column: sentence for column, (_, sentence) in table.columns.items()})
    derive_all(con)
    definitions.define(con)
    con.execute("DELETE FROM texts")
    con.execute("INSERT INTO texts VALUES (?)", [fingerprint()])


def _write_macro(con: duckdb.DuckDBPyConnection, name: str, macro: Macro) -> None:
    kind, word = ("TABLE", "MACRO TABLE") if macro.columns else ("", "MACRO")
    con.execute(f"CREATE OR REPLACE MACRO {name}({', '.join(macro.parameters)}) AS {kind} {macro.sql}")
    con.execute(f"COMMENT ON {word} {name} IS {_quoted(macro.comment)}")


def _comment_columns(con: duckdb.DuckDBPyConnection, owner: str, sentences: dict[str, str]) -> None:
    for column, sentence in sentences.items():
        con.execute(f"COMMENT ON COLUMN {owner}.{column} IS {_quoted(sentence)}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
