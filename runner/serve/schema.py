"""The schema of the store: its views, tables and macros with their sentences, as the database has them."""

from __future__ import annotations

from typing import Any

from runner.store.query import Ask, records

TABLES = """
    SELECT view_name AS name, 'view' AS kind, comment FROM duckdb_views()
    WHERE NOT internal AND database_name = 'results'
    UNION ALL SELECT table_name, 'table', comment FROM duckdb_tables()
    WHERE NOT internal AND database_name = 'results'
    UNION ALL SELECT function_name || '(' || array_to_string(parameters, ', ') || ')', 'macro', comment
    FROM duckdb_functions() WHERE NOT internal AND database_name = 'results'
    ORDER BY kind DESC, name
"""
COLUMNS = """
    SELECT table_name AS owner, column_name AS name, data_type AS type, comment FROM duckdb_columns()
    WHERE NOT internal AND database_name = 'results' ORDER BY owner, column_index
"""


def schema(ask: Ask) -> list[dict[str, Any]]:
    """Views, tables and macros; the first two with their columns."""
    columns: dict[str, list[dict[str, Any]]] = {}
    for row in records(ask(COLUMNS)):
        columns.setdefault(row.pop("owner"), []).append(row)
    return [row | {"columns": columns.get(row["name"], [])} for row in records(ask(TABLES))]
