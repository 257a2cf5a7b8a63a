"""Derived: what is worked out of the rows of a run when they come in, since it is asked of all runs at once."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

# Fields of a spec that change no result, or only by the seed; files count by what they hold.
_ELSEWHERE = "name|description|extends|seeds?|(grid|search|execute)(\\..*)?"
_ELSEWHERE += "|data\\.[^.]+\\.(train|validation|test|license|groups)"
_ELSEWHERE += "|evaluate\\.require(\\..*)?"
_ELSEWHERE += "|train\\.(checkpoint_minutes|gradient_checkpointing|strategy|devices)"
_LABEL = "CASE task WHEN '' THEN metric ELSE task || '.' || metric END"

# Tables whose rows are worked out, and those that they are worked out of.
SOURCES = ("runs", "params", "data", "answers", "scores")
DERIVED = {
    "settings": f"""
        SELECT r.run, md5(concat_ws(chr(10), p.spec, d.files)) AS setting
        FROM runs r SEMI JOIN touched USING (run)
        LEFT JOIN (
            SELECT run, string_agg(name || '=' || coalesce(value, ''), chr(10) ORDER BY name) AS spec
            FROM params SEMI JOIN touched USING (run)
            WHERE NOT regexp_full_match(name, '{_ELSEWHERE}') GROUP BY run
        ) p ON p.run = r.run
        LEFT JOIN (
            SELECT run, string_agg(data || ' ' || split || ' ' || sha256, chr(10) ORDER BY data, split, sha256) AS files
            FROM data SEMI JOIN touched USING (run) GROUP BY run
        ) d ON d.run = r.run
    """,
    "asked": """
        SELECT run, split, task, count(*) AS n, to_hex(bit_xor(md5_number(id))) AS examples
        FROM answers SEMI JOIN touched USING (run) GROUP BY run, split, task
    """,
    "summaries": f"""
        SELECT r.run, p.params, s.scores FROM runs r SEMI JOIN touched USING (run)
        LEFT JOIN (
            SELECT run, map(list(name ORDER BY name), list(value ORDER BY name)) AS params
            FROM params SEMI JOIN touched USING (run) GROUP BY run
        ) p ON p.run = r.run
        LEFT JOIN (
            SELECT run, map(list(label ORDER BY position, label), list(value ORDER BY position, label)) AS scores
            FROM (
                SELECT run, {_LABEL} AS label, any_value(value) AS value, min(position) AS position
                FROM scores SEMI JOIN touched USING (run)
                WHERE model = 'best' AND split = 'test' AND isfinite(value) GROUP BY run, label
            ) GROUP BY run
        ) s ON s.run = r.run
    """,
}


def derive(con: duckdb.DuckDBPyConnection, runs: Iterable[str]) -> None:
    """Work out anew what is derived of these runs."""
    names = sorted(runs)
    if not names:
        return
    import pyarrow as pa

    con.register("touched", pa.table({"run": pa.array(names, pa.string())}))
    for table, sql in DERIVED.items():
        con.execute(f"DELETE FROM {table} USING touched WHERE {table}.run = touched.run")
        con.execute(f"INSERT INTO {table} {sql}")
    con.unregister("touched")


def derive_all(con: duckdb.DuckDBPyConnection) -> None:
    """The same for all runs: an older program may have worked it out another way."""
    derive(con, [run for (run,) in con.execute("SELECT run FROM offsets").fetchall()])
