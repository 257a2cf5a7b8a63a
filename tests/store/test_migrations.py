"""Migrations: a new database gets all, an old one what it lacks, once, in order, or nothing."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from runner.errors import RunnerError
from runner.store import migrations
from runner.store.migrations import ALL_TABLES, MIGRATIONS, migrate
from runner.store.tables import TABLES
from runner.store.views import VIEWS, View
from tests.store.conftest import rows

TOTAL = len(MIGRATIONS)


@pytest.fixture
def plain() -> duckdb.DuckDBPyConnection:
    """A database that nobody has migrated."""
    return duckdb.connect(config={"threads": 1})


def names(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {name for (name,) in rows(con, "SELECT table_name FROM information_schema.tables")}


def extra(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("ALTER TABLE labels ADD COLUMN IF NOT EXISTS extra INT")


def failing(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("ALTER TABLE labels ADD COLUMN more INT")
    con.execute("SELECT no_such_column FROM labels")


def test_a_new_database_gets_all(con: duckdb.DuckDBPyConnection) -> None:
    assert names(con) == {*ALL_TABLES, *VIEWS}
    assert rows(con, "SELECT number, name FROM migrations ORDER BY number LIMIT 1") == [(1, "first_tables")]


def test_migrations_are_numbered_without_gaps(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "SELECT number FROM migrations ORDER BY number") == [(n + 1,) for n in range(TOTAL)]


def test_columns_are_those_that_are_declared(con: duckdb.DuckDBPyConnection) -> None:
    for name, table in ALL_TABLES.items():
        found = [(column, kind) for column, kind, *_ in rows(con, f"DESCRIBE {name}")]
        assert found == [(column, kind) for column, (kind, _) in table.columns.items()], name


def test_migrating_twice_changes_nothing(plain: duckdb.DuckDBPyConnection) -> None:
    migrate(plain, "x")
    plain.execute("INSERT INTO labels VALUES ('r', 1, 't', 0, 'a')")
    before = rows(plain, "FROM migrations"), rows(plain, "SELECT sql, comment FROM duckdb_views() ORDER BY ALL")
    migrate(plain, "x")
    assert (
        rows(plain, "FROM migrations"),
        rows(plain, "SELECT sql, comment FROM duckdb_views() ORDER BY ALL"),
    ) == before
    assert rows(plain, "FROM labels") == [("r", 1, "t", 0, "a")]


def test_every_migration_bears_to_run_on_a_database_of_today(con: duckdb.DuckDBPyConnection) -> None:
    for step in MIGRATIONS:
        step(con)
    assert names(con) == {*ALL_TABLES, *VIEWS}


def test_an_old_database_gets_what_it_lacks_once(
    plain: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(plain, "x")
    plain.execute("INSERT INTO labels VALUES ('r', 1, 't', 0, 'a')")
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, extra))
    migrate(plain, "x")
    migrate(plain, "x")
    assert rows(plain, f"SELECT number, name FROM migrations WHERE number > {TOTAL}") == [(TOTAL + 1, "extra")]
    assert rows(plain, "FROM labels") == [("r", 1, "t", 0, "a", None)]


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(str(tmp_path / "db")) as con:
        migrate(con, "x")
        monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, extra, failing))
        with pytest.raises(duckdb.Error, match="no_such_column"):
            migrate(con, "x")
    with duckdb.connect(str(tmp_path / "db")) as con:
        assert rows(con, "SELECT max(number) FROM migrations") == [(TOTAL,)]
        assert [column for column, *_ in rows(con, "DESCRIBE labels")] == list(TABLES["labels"].columns)


def test_a_view_is_made_again_when_its_text_changed(
    plain: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(plain, "x")
    monkeypatch.setitem(VIEWS, "curves", View("It's new.", "SELECT 42 AS answer", {"answer": "to all"}))
    migrate(plain, "x")
    assert rows(plain, "FROM curves") == [(42,)]
    assert rows(plain, "SELECT comment FROM duckdb_views() WHERE view_name = 'curves'") == [("It's new.",)]
    assert rows(plain, "SELECT count(*) FROM texts") == [(1,)]


def test_a_newer_database_is_refused_untouched(plain: duckdb.DuckDBPyConnection) -> None:
    migrate(plain, "x")
    plain.execute(f"INSERT INTO migrations VALUES ({TOTAL + 1}, 'later', TIMESTAMP '2030-01-01')")
    plain.execute("UPDATE texts SET fingerprint = 'of later'")
    message = f"`x` was made by a newer runner: it has migration {TOTAL + 1}, this program knows {TOTAL}"
    with pytest.raises(RunnerError) as caught:
        migrate(plain, "x")
    assert caught.value.message == message
    assert rows(plain, "FROM texts") == [("of later",)]


# What the database says about itself.


def test_every_table_and_view_has_a_comment(con: duckdb.DuckDBPyConnection) -> None:
    found = dict(rows(con, "SELECT table_name, comment FROM duckdb_tables()"))
    found |= dict(rows(con, "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"))
    assert found == {name: owner.comment for name, owner in (ALL_TABLES | VIEWS).items()}
    assert all(comment.endswith(".") for comment in found.values())


def test_every_column_has_a_comment(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal")
    assert {name for name, *_ in found} == {*ALL_TABLES, *VIEWS}
    assert [(name, column) for name, column, comment in found if not comment] == []


def test_the_columns_of_a_view_are_those_that_are_described(con: duckdb.DuckDBPyConnection) -> None:
    for name, view in VIEWS.items():
        assert [column for column, *_ in rows(con, f"DESCRIBE {name}")] == list(view.columns), name


# The database of the last version, whose points were rows of words.

WORDED = TABLES["metrics"].columns


def of_words(con: duckdb.DuckDBPyConnection) -> None:
    """What that program left."""
    for name in ("migrations", "texts"):
        con.execute(ALL_TABLES[name].ddl(name))
    for name in TABLES.keys() - {"metrics", "metric_last", "settings", "asked", "feedback", "monitoring"}:
        con.execute(TABLES[name].ddl(name))
    con.execute(f"CREATE TABLE metrics ({', '.join(f'{name} {kind}' for name, (kind, _) in WORDED.items())})")
    con.execute("CREATE VIEW settings AS SELECT run, 'x' AS setting FROM runs")
    con.execute("INSERT INTO migrations SELECT range + 1, 'old', now() AT TIME ZONE 'UTC' FROM range(5)")
    con.execute("INSERT INTO offsets VALUES ('r', 9, 'x'); INSERT INTO runs (run, name) VALUES ('r', 'n')")
    con.execute("INSERT INTO params VALUES ('r', 1, 'a', '1', 1, 'integer')")
    for step, value in ((2, 0.5), (1, 0.75)):
        given = ["r", 1, step, 0.5, "train", "t", "f1", value]
        con.execute("INSERT INTO metrics VALUES (?, ?, TIMESTAMP '2024-01-01', ?, ?, ?, ?, ?, ?)", given)


def test_points_that_were_words_are_kept(plain: duckdb.DuckDBPyConnection) -> None:
    of_words(plain)
    before = rows(plain, "FROM metrics")
    migrate(plain, "x")
    assert rows(plain, "FROM metrics") == before
    assert rows(plain, "SELECT run, n, best, best_step, last FROM metric_last") == [("r", 2, 0.75, 1, 0.5)]
    assert rows(plain, "SELECT count(*) FROM points") == [(2,)]


def test_what_is_derived_is_made_of_old_rows(plain: duckdb.DuckDBPyConnection) -> None:
    of_words(plain)
    migrate(plain, "x")
    assert rows(plain, "SELECT run, length(setting) FROM settings") == [("r", 32)]
    assert rows(plain, "SELECT params FROM run_summary") == [({"a": "1"},)]
    assert names(plain) == {*ALL_TABLES, *VIEWS}
