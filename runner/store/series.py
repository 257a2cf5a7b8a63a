"""Points go into the narrow tables; the sums of each curve, which `metric_last` shows, stay up to date with them.

Most curves only go on: their points are inserted, their sums merged with the earlier ones. A curve with points at steps
that it already passed is summed up anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from runner.store.points import Points

if TYPE_CHECKING:
    from runner.store.points import Numbers

_CURVE = "run_id, metric_id"
# Of each curve, from points.
SUMMED = """
    SELECT run_id, metric_id, count(*) AS n,
           min(step) FILTER (isfinite(value)) AS first_step, arg_min(value, step) FILTER (isfinite(value)) AS first,
           max(step) FILTER (isfinite(value)) AS last_step, arg_max(value, step) FILTER (isfinite(value)) AS last,
           min(struct_pack(v := value, s := step)) FILTER (isfinite(value)) AS low,
           min(struct_pack(v := -value, s := step)) FILTER (isfinite(value)) AS high,
           count(*) FILTER (NOT isfinite(value)) AS not_finite,
           min(step) FILTER (NOT isfinite(value)) AS not_finite_step,
           max(step) AS step, max(epoch) AS epoch, max(time) AS time
    FROM ({points}) GROUP BY run_id, metric_id
"""
# The same, from what was summed up before.
KNOWN = """
    SELECT run_id, metric_id, n, first_step, first, last_step, last, struct_pack(v := min, s := min_step) AS low,
           struct_pack(v := -max, s := max_step) AS high, not_finite, not_finite_step, step, epoch, time
    FROM series
"""
# Of each curve, from sums of disjoint parts of it, as rows of `series`.
MERGED = """
    SELECT run_id, metric_id, sum(n), min(first_step), arg_min(first, first_step), max(last_step),
           arg_max(last, last_step), min(low).s, min(low).v, min(high).s, 0 - min(high).v, sum(not_finite),
           min(not_finite_step), max(step), max(epoch), max(time)
    FROM ({sums}) GROUP BY run_id, metric_id
"""


def put(con: duckdb.DuckDBPyConnection, points: Points) -> None:
    """Insert points in the open transaction, in place of those with the same run, metric and step."""
    if not points.values:
        return
    runs = numbered(con, "run_id", ("run",), [(run,) for run in points.runs])
    metrics = numbered(con, "metric_id", ("split", "task", "metric"), list(points.names))
    con.register("fresh", points.rows(runs, metrics))
    replayed = passed(con)
    if replayed:
        con.execute(
            f"DELETE FROM points USING (FROM fresh SEMI JOIN again USING ({_CURVE})) f WHERE"
            " points.run_id = f.run_id AND points.metric_id = f.metric_id AND points.step = f.step"
        )
    con.execute("INSERT INTO points FROM fresh")
    sum_up(con, replayed)
    con.unregister("fresh")
    con.execute("DROP TABLE again; DROP TABLE sums")


def passed(con: duckdb.DuckDBPyConnection) -> bool:
    """Find the curves with a fresh point at a step that they passed; whether there are any."""
    con.execute(
        f"""
        CREATE TEMP TABLE again AS
        SELECT DISTINCT {_CURVE} FROM fresh f JOIN (SELECT {_CURVE}, step AS high FROM series) USING ({_CURVE})
        WHERE step <= high
        """
    )
    return con.execute("FROM again LIMIT 1").fetchone() is not None


def sum_up(con: duckdb.DuckDBPyConnection, replayed: bool) -> None:
    """Bring the sums of all curves with fresh points up to date."""
    parts = [SUMMED.format(points=f"FROM fresh ANTI JOIN again USING ({_CURVE})")]
    parts += [SUMMED.format(points=f"FROM points SEMI JOIN again USING ({_CURVE})")] * replayed
    con.execute(f"CREATE TEMP TABLE sums AS {' UNION ALL '.join(parts)}")
    con.execute(f"INSERT INTO sums FROM ({KNOWN}) SEMI JOIN sums USING ({_CURVE}) ANTI JOIN again USING ({_CURVE})")
    con.execute("DELETE FROM series USING sums s WHERE series.run_id = s.run_id AND series.metric_id = s.metric_id")
    con.execute(f"INSERT INTO series {MERGED.format(sums='FROM sums')}")


def sum_up_all(con: duckdb.DuckDBPyConnection) -> None:
    """Sum up all points, where nothing was."""
    con.execute(f"INSERT INTO series {MERGED.format(sums=SUMMED.format(points='FROM points'))}")


def numbered(
    con: duckdb.DuckDBPyConnection, number: str, words: tuple[str, ...], keys: list[tuple[str, ...]]
) -> Numbers:
    """The numbers of keys, in their order; new ones get the next."""
    import pyarrow as pa

    table, using = f"{number}s", ", ".join(words)
    columns = dict(zip(words, map(list, zip(*keys, strict=True)), strict=True))
    con.register("named", pa.table({**columns, "place": list(range(len(keys)))}))
    known = f"(SELECT coalesce(max({number}), 0) FROM {table})"
    con.execute(
        f"INSERT INTO {table} SELECT {known} + row_number() OVER (ORDER BY place), {using}"
        f" FROM named ANTI JOIN {table} USING ({using})"
    )
    found = con.execute(f"SELECT {number} FROM named JOIN {table} USING ({using}) ORDER BY place").fetchnumpy()
    con.unregister("named")
    numbers: Numbers = found[number]
    return numbers
