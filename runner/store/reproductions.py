"""Reproductions: the view of runs that were carried out again, from the verdicts in their logs."""

from __future__ import annotations

from runner.store.view import View

_KINDS = ("scores", "points", "answers", "samples")
_COLUMNS = {kind: f"{kind} that either run has" for kind in _KINDS}
_EQUAL = {f"equal_{kind}": f"{kind} that are equal bit by bit" for kind in _KINDS}

REPRODUCTIONS = {
    "reproductions": View(
        "Runs that `runner reproduce` carried out again: how many of their numbers came out equal, bit by bit.",
        f"""
        SELECT run, time, (fields ->> '$.equal')::BOOLEAN AS equal,
               {", ".join(f"(fields ->> '$.kinds.{kind}.rows')::BIGINT AS {kind}" for kind in _KINDS)},
               {", ".join(f"(fields ->> '$.kinds.{kind}.equal')::BIGINT AS equal_{kind}" for kind in _KINDS)},
               list_transform(from_json(fields -> '$.environment', '[{{"name": "VARCHAR"}}]'), lambda each: each.name)
                   AS otherwise
        FROM other_events WHERE event = 'reproduced'
        """,
        {
            "run": "id of the run",
            "time": "when it was carried out again, UTC",
            "equal": "whether all of them are equal",
            **_COLUMNS,
            **_EQUAL,
            "otherwise": "what else was not as before: packages, machine, threads, commit",
        },
    )
}
