"""What other programs draw of a run: points of its curves and its final scores, under names of one piece."""

from __future__ import annotations

from typing import NamedTuple

from runner.store.export import Moment

LABEL = "CASE task WHEN '' THEN metric ELSE task || '.' || metric END"
CURVES = f"""
    SELECT {LABEL} || CASE split WHEN '' THEN '' ELSE '/' || split END AS name, step, epoch_us(time) / 1e6 AS time,
           value
    FROM metrics WHERE run = $run AND value IS NOT NULL ORDER BY step, name
"""
LAST = """
    SELECT (SELECT coalesce(max(step), 0) FROM metrics WHERE run = $run) AS step,
           coalesce(epoch_us(max(coalesce(finished, started))) / 1e6, 0) AS time
    FROM attempts WHERE run = $run
"""
SCORES = f"""
    SELECT 'final/' || CASE split WHEN '' THEN '' ELSE split || '/' END || {LABEL}
               || CASE model WHEN 'best' THEN '' ELSE ' of ' || model END AS name, step, time, value
    FROM scores, ({LAST}) WHERE run = $run AND value IS NOT NULL ORDER BY position, name
"""


class Point(NamedTuple):
    """A value at an optimizer step, recorded at a time in unix seconds; it may be NaN or infinite."""

    name: str
    step: int
    time: float
    value: float


def points(moment: Moment, run: str) -> list[Point]:
    """`intent.macro_f1/validation` for curves, `final/test/intent.macro_f1` for final scores at the last step."""
    return [Point(**row) for sql in (CURVES, SCORES) for row in moment.rows(sql, run=run)]
