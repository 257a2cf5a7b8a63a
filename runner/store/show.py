"""What the store knows of all runs at a glance, and of one run in full."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import RunnerError, nearest
from runner.store.alone import gaps
from runner.store.query import query, render

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = {
    "scores": "SELECT split, task, metric, value, low, high, baseline_majority, baseline_tfidf, before_training, n "
    "FROM final_scores WHERE run = ? ORDER BY split, task, position",
    "params": "SELECT name, value FROM params WHERE run = ? ORDER BY name",
    "stages": "SELECT attempt, name, cached, rows, round(seconds, 3) AS seconds, reason "
    "FROM stages WHERE run = ? ORDER BY time",
    "attempts": "SELECT attempt, state, started, round(seconds, 1) AS seconds, host "
    "FROM attempts WHERE run = ? ORDER BY attempt",
    "artifacts": "SELECT name, bytes, path FROM artifacts WHERE run = ? ORDER BY name",
    "failures": "SELECT attempt, kind, message, trace FROM failures WHERE run = ? ORDER BY time",
}
SHOWN = ("scores", "gaps", "params", "stages", "attempts", "artifacts", "failures")

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
