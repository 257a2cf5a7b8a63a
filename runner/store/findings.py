"""Findings: what the answers, curves and texts of runs say, task by task, by SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.store.query import Ask, records

POINTS = 200  # of a curve; more are averaged
LABELS = 20  # of a matrix of confusions; of more, and of so many pairs, the worst
BINS = 15  # of confidence, as `expected_calibration_error` has them
MISTAKES = 20
CLASSES = 500
DOTS = 400  # of a scatter plot
TEXTS = 12  # samples of a task

COURSE = f"""
    WITH numbered AS (
        SELECT run, split, task, metric, step, value,
               row_number() OVER (PARTITION BY run, split, task, metric ORDER BY step) - 1 AS place,
               count(*) OVER (PARTITION BY run, split, task, metric) AS total
        FROM curves WHERE list_contains($runs, run) AND metric <> 'learning_rate'
              AND NOT contains(metric, '.')
    ), course AS (
        SELECT run, split, task, metric, max(step) AS step, avg(value) AS value, count(*) AS averaged FROM numbered
        GROUP BY run, split, task, metric, CASE WHEN total <= {POINTS} THEN place ELSE place * {POINTS} // total END
    )
"""
CURVES = f"""
    {COURSE} SELECT run, task, metric, split, list([step, value] ORDER BY step) AS points, max(averaged) AS averaged
    FROM course GROUP BY run, task, metric, split
    ORDER BY run, task <> '', task, metric <> 'loss', metric, array_position(['train', 'validation', 'test'], split)
"""
# The split that a task is judged by: test, or validation where it has no test.
JUDGED = """
    WITH judged AS (
        SELECT run, task, coalesce(any_value(shape), 'choices') AS shape,
               CASE WHEN bool_or(split = 'test') THEN 'test' ELSE 'validation' END AS split
        FROM answers WHERE list_contains($runs, run) AND split <> 'train' GROUP BY run, task
    ), here AS (
        SELECT a.*, j.shape AS form FROM answers a JOIN judged j ON (a.run, a.task, a.split) = (j.run, j.task, j.split)
    )
"""
TASKS = f"""
    {JUDGED} SELECT h.run, h.task, h.split, h.form AS shape, count(*) AS n
    FROM here h LEFT JOIN specs s ON s.run = h.run
    GROUP BY h.run, h.task, h.split, h.form, s.resolved
    ORDER BY h.run, list_position(json_keys(s.resolved, '$.tasks'), h.task), h.task
"""
SCORES = """
    SELECT run, task, split, metric, value, low, high, n, baseline_majority AS majority, baseline_tfidf AS tfidf,
           before_training AS before
    FROM final_scores WHERE list_contains($runs, run) AND split <> 'train'
    ORDER BY run, task, split DESC, position
"""
LABELLED = (
    "SELECT run, task, list(label ORDER BY position) AS labels FROM labels WHERE list_contains($runs, run) GROUP BY ALL"
)
CONFUSED = f"""
    {JUDGED} SELECT c.run, c.task, c.gold, c.predicted, c.count,
           sum(c.count) OVER (PARTITION BY c.run, c.task, c.gold)::BIGINT AS support
    FROM confusion c JOIN judged j ON (c.run, c.task, c.split) = (j.run, j.task, j.split)
    ORDER BY c.run, c.task, c.count DESC, c.gold, c.predicted
"""
CALIBRATED = f"""
    {JUDGED} SELECT run, task, bin, count(*) AS n, avg(confidence) AS confidence,
           avg((gold = predicted)::INT) AS accuracy
    FROM (SELECT *, least(greatest(ceil(confidence * {BINS})::INT - 1, 0), {BINS - 1}) AS bin FROM here
          WHERE form = 'choices' AND isfinite(confidence))
    GROUP BY run, task, bin ORDER BY run, task, bin
"""
PER_CLASS = f"""
    {JUDGED} SELECT c.run, c.task, c.label, c.precision, c.recall, c.f1, c.support
    FROM class_scores c JOIN judged j ON (c.run, c.task, c.split) = (j.run, j.task, j.split)
    QUALIFY row_number() OVER (PARTITION BY c.run, c.task ORDER BY c.f1, c.label) <= {CLASSES}
    ORDER BY c.run, c.task, c.f1, c.label
"""
# Sure mistakes first; of numbers those that are furthest off; of all others the first rows.
MISTAKEN = f"""
    {JUDGED} SELECT run, task, id, gold, predicted, CASE WHEN isfinite(confidence) THEN confidence END AS confidence,
           CASE WHEN isfinite(gold_probability) THEN gold_probability END AS gold_probability, text,
           row_number() OVER (PARTITION BY run, task ORDER BY
               coalesce(CASE WHEN isfinite(confidence) THEN confidence END, 1 - gold_probability) DESC NULLS LAST,
               abs(TRY_CAST(gold AS DOUBLE) - TRY_CAST(predicted AS DOUBLE)) DESC NULLS LAST, position) AS place
    FROM here WHERE gold IS DISTINCT FROM predicted AND form NOT IN ('likelihoods', 'texts')
    QUALIFY place <= {MISTAKES} ORDER BY run, task, place
"""
BY_LENGTH = f"""
    {JUDGED} SELECT run, task, min(words) AS least, max(words) AS most, count(*) AS n,
           avg((gold = predicted)::INT) AS right, avg(abs(TRY_CAST(gold AS DOUBLE) - TRY_CAST(predicted AS DOUBLE)))
               FILTER (form = 'quantities') AS error
    FROM (SELECT *, ntile(4) OVER (PARTITION BY run, task ORDER BY words, id) AS part
          FROM (SELECT *, len(regexp_split_to_array(trim(text), '\\s+')) AS words FROM here
                WHERE text IS NOT NULL AND form NOT IN ('likelihoods', 'texts')))
    GROUP BY run, task, part ORDER BY run, task, part
"""
BY_GROUP = f"""
    {JUDGED} SELECT g.run, g.task, g.by_column, g.metric, g.group_name AS "group", g.n, g.enough,
           CASE WHEN isfinite(g.value) THEN g.value END AS value, CASE WHEN isfinite(g.low) THEN g.low END AS low,
           CASE WHEN isfinite(g.high) THEN g.high END AS high
    FROM group_scores g JOIN judged j ON (g.run, g.task, g.split) = (j.run, j.task, j.split)
    WHERE g.position = 0 ORDER BY g.run, g.task, g.by_column, g.group_name
"""
SCATTERED = f"""
    {JUDGED} SELECT run, task, list([TRY_CAST(gold AS DOUBLE), TRY_CAST(predicted AS DOUBLE)] ORDER BY id) AS dots
    FROM (SELECT * FROM here WHERE form = 'quantities'
          QUALIFY row_number() OVER (PARTITION BY run, task ORDER BY hash(id), id) <= {DOTS}) GROUP BY run, task
"""
SAMPLES = f"""
    SELECT b.run, b.task, b.split, b.id, b.prompt, b.gold, b.text AS best, b.tokens, b.ended, o.text AS before
    FROM samples b LEFT JOIN samples o ON o.model = 'before'
         AND (o.run, o.split, o.task, o.id) = (b.run, b.split, b.task, b.id)
    WHERE list_contains($runs, b.run) AND b.model = 'best'
    QUALIFY row_number() OVER (PARTITION BY b.run, b.task ORDER BY b.position) <= {TEXTS}
    ORDER BY b.run, b.task, b.position
"""

JUDGED_TEXTS = """
    SELECT run, task, id, criterion, any_value(value) FILTER (model = 'best') AS best,
           any_value(value) FILTER (model = 'before') AS before, any_value(raw) FILTER (model = 'best') AS raw
    FROM judgements WHERE list_contains($runs, run) GROUP BY ALL ORDER BY run, task, id, criterion
"""


def asked(ask: Ask, sql: str, runs: Sequence[str], **more: str) -> list[dict[str, Any]]:
    """Rows about these runs as JSON values."""
    return records(ask(sql, {"runs": list(runs), **more})) if runs else []


def tasks(ask: Ask, runs: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Each task of each run on the split that it is judged by: scores, confusions, calibration, classes, mistakes."""
    found = {(row["run"], row["task"]): row for row in asked(ask, TASKS, runs)}
    parts = {
        "scores": SCORES, "confusions": CONFUSED, "calibration": CALIBRATED, "classes": PER_CLASS,
        "mistakes": MISTAKEN, "lengths": BY_LENGTH, "by_group": BY_GROUP,
    }  # fmt: skip
    labels = {(row["run"], row["task"]): row["labels"] for row in asked(ask, LABELLED, runs)}
    dots = {(row["run"], row["task"]): row["dots"] for row in asked(ask, SCATTERED, runs)}
    told = {name: by_task(asked(ask, sql, runs)) for name, sql in parts.items()}
    for key, row in found.items():
        row |= {name: each.get(key, []) for name, each in told.items()}
        row["confusions"] = confused(row["confusions"], labels.get(key, []))
        row["calibration"] = calibrated(row["calibration"])
        row["dots"] = dots.get(key, [])
        row["per_class"] = per_class(row)
        row |= {"groups": None, "errors": None}
    by_run: dict[str, list[dict[str, Any]]] = {}
    for (run, _), row in found.items():
        by_run.setdefault(run, []).append({name: value for name, value in row.items() if name != "run"})
    return by_run


def by_task(rows: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Rows by run and task, both of which they lose."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row.pop("run"), row.pop("task")), []).append(row)
    return found


def confused(rows: list[dict[str, Any]], labels: Sequence[str]) -> dict[str, Any] | None:
    """A whole matrix where labels are few, gold by predicted; else the pairs that are most often confused."""
    if not rows:
        return None
    known = list(dict.fromkeys([*labels, *(row[side] for side in ("gold", "predicted") for row in rows)]))
    pairs = [row for row in rows if row["gold"] != row["predicted"]]
    if len(known) > LABELS:
        return {"labels": len(known), "pairs": pairs[:LABELS], "matrix": None}
    counts = {(row["gold"], row["predicted"]): row["count"] for row in rows}
    matrix = [[counts.get((gold, predicted), 0) for predicted in known] for gold in known]
    return {"labels": known, "pairs": pairs[:LABELS], "matrix": matrix}


def calibrated(bins: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Bins of confidence with their accuracy, and the expected calibration error; None without probabilities."""
    total = sum(each["n"] for each in bins)
    if not total:
        return None
    error = sum(each["n"] * abs(each["confidence"] - each["accuracy"]) for each in bins) / total
    return {"bins": bins, "count": BINS, "n": total, "error": error}


def per_class(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Scores of each class that metrics recorded, for answers that are no single labels."""
    rows = [row for row in task["scores"] if "." in row["metric"] and row["split"] == task["split"]]
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        metric, _, label = row["metric"].partition(".")
        found.setdefault(label, {"label": label})[metric] = row["value"]
    task["scores"] = [row for row in task["scores"] if "." not in row["metric"]]
    return list(found.values())[:CLASSES]


def curves(ask: Ask, runs: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Charts of each run, losses first: a line a split, as pairs of step and value."""
    found: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for row in asked(ask, CURVES, runs):
        charts = found.setdefault(row["run"], {})
        chart = charts.setdefault(
            (row["task"], row["metric"]), {"task": row["task"], "metric": row["metric"], "lines": {}}
        )
        chart["lines"][row["split"]] = {"points": row["points"], "averaged": row["averaged"]}
    return {run: [chart for chart in charts.values() if worth(chart, charts)] for run, charts in found.items()}


def worth(chart: dict[str, Any], charts: dict[tuple[str, str], Any]) -> bool:
    """Whether a chart tells what no other does: the sums of a single task are that task's own."""
    tasks = {task for task, _ in charts} - {""}
    if len(tasks) != 1:
        return True
    (task,) = tasks
    return not (chart["task"] == "" and (chart["metric"] == "combined" or (task, chart["metric"]) in charts))


def samples(ask: Ask, runs: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Texts that runs wrote, beside those of the base before training, with what proxies and judges say of both."""
    found: dict[str, list[dict[str, Any]]] = {}
    said: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in asked(ask, JUDGED_TEXTS, runs):
        said.setdefault((row.pop("run"), row.pop("task"), row.pop("id")), []).append(row)
    for row in asked(ask, SAMPLES, runs):
        row["judgements"] = said.get((row["run"], row["task"], row["id"]), [])
        found.setdefault(row.pop("run"), []).append(row)
    return found
