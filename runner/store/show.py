"""What the store knows of all runs at a glance, and of one run in full."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import RunnerError, nearest
from runner.store.alone import gaps
from runner.store.grids import listed
from runner.store.query import query, render

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = {
    "scores": "SELECT split, task, metric, value, low, high, baseline_majority, baseline_tfidf, before_training, n "
    "FROM final_scores WHERE run = ? ORDER BY split, task, position",
    "worst_groups": "SELECT split, task, by_column, metric, worst, value, low, high, n, overall, gap, group_count "
    "FROM worst_groups WHERE run = ? ORDER BY split, task, by_column, position",
    "params": "SELECT name, value FROM params WHERE run = ? ORDER BY name",
    "stages": "SELECT attempt, name, cached, rows, round(seconds, 3) AS seconds, reason "
    "FROM stages WHERE run = ? ORDER BY time",
    "attempts": "SELECT attempt, state, started, round(seconds, 1) AS seconds, host "
    "FROM attempts WHERE run = ? ORDER BY attempt",
    "artifacts": "SELECT name, bytes, path FROM artifacts WHERE run = ? ORDER BY name",
    "failures": "SELECT attempt, kind, message, trace FROM failures WHERE run = ? ORDER BY time",
}
SHOWN = ("scores", "worst_groups", "gaps", "params", "stages", "attempts", "artifacts", "failures")

HEAD = (
    "run",
    "state",
    "name",
    "description",
    "seed",
    "started",
    "finished",
    "seconds",
    "spec_file",
    "git_commit",
    "git_dirty",
)


def runs(results: Path) -> pa.Table:
    """All runs, the newest last, with their main test scores."""
    return query(
        results,
        """
        SELECT r.run, r.state, r.seed, strftime(r.started, '%Y-%m-%d %H:%M:%S') AS started,
               round(r.seconds, 1) AS seconds,
               string_agg(s.task || '.' || s.metric || '=' || printf('%.3f', s.value), ' '
                          ORDER BY s.position, s.task) AS test
        FROM runs r LEFT JOIN final_scores s ON s.run = r.run AND s.split = 'test' AND s.position = 0
        GROUP BY ALL ORDER BY 4, 1
        """,
    )


def printed(rows: list[dict[str, Any]]) -> str:
    """Rows as a table."""
    import pyarrow as pa

    rows = together(rows)
    names = dict.fromkeys(name for row in rows for name in row)
    cells = [{name: "" if row.get(name) is None else str(row[name]) for name in names} for row in rows]
    return render(pa.Table.from_pylist(cells))


def together(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A mean and its deviation in one cell."""
    return [
        {
            name: value if row.get(f"± {name}") is None else f"{value:.4f} ± {row[f'± {name}']:.4f}"
            for name, value in row.items()
            if not name.startswith("± ")
        }
        for row in rows
    ]


def watched(results: Path, grid: str, format: str, again: bool) -> None:
    """Print all runs, or the trials of a grid, once or until none is at work."""
    while True:
        rows = listed(results, grid) if grid else runs(results).to_pylist()
        text = printed(rows) if format == "table" and grid else render(runs(results), format)
        if format == "json":
            text = json.dumps(rows, indent=2, default=str) + "\n"
        print(("\x1b[H\x1b[2J" if again and sys.stdout.isatty() else "") + text, end="", flush=True)
        if not again or not any(row["state"] in ("running", "planned") for row in rows):
            return
        time.sleep(2)


def show(results: Path, run: str) -> dict[str, Any]:
    """One run by its name or a unique beginning of it."""
    name = unique(results, run)
    found: dict[str, Any] = query(results, "SELECT * FROM runs WHERE run = ?", [name]).to_pylist()[0]
    told = {key: query(results, sql, [name]).to_pylist() for key, sql in TABLES.items()}
    return found | {"scores": told.pop("scores"), "gaps": gaps(results, name)} | told


def unique(results: Path, run: str) -> str:
    """The full name of a run."""
    names = [row["run"] for row in query(results, "SELECT run FROM runs ORDER BY run").to_pylist()]
    found = [name for name in names if name == run] or [name for name in names if name.startswith(run)]
    if len(found) == 1:
        return str(found[0])
    near = nearest(run, names)
    hint = f"did you mean `{near}`?" if near else "`runner ls` lists the runs"
    if found:
        hint = "did you mean one of " + ", ".join(f"`{name}`" for name in found[:10])
    raise RunnerError(f"`{run}` names {len(found)} runs", hint)


def render_show(found: dict[str, Any]) -> str:
    """The same for a person."""
    import pyarrow as pa

    lines = [f"{key:<12} {found[key]}" for key in HEAD if found[key] is not None]
    for key in SHOWN:
        if found[key]:
            lines += ["", key, render(pa.Table.from_pylist(found[key])).rstrip()]
    return "\n".join(lines) + "\n"
