"""Narrow tables: points of curves by small numbers for run and metric; `metrics` and `metric_last` show them in words.

Numbers are given in the order of reading: databases of the same logs may differ in them, and in nothing else.
"""

from __future__ import annotations

from runner.store.view import Table

_RUN_ID = {"run_id": ("INTEGER", "number of the run in `run_ids`")}
_METRIC_ID = {"metric_id": ("INTEGER", "number of split, task and metric in `metric_ids`")}
_RUN = {"run": ("VARCHAR", "id of the run, the name of its folder")}
_METRIC = {
    "split": ("VARCHAR", "train, validation or test; empty where a record names none"),
    "task": ("VARCHAR", "the task in the spec; empty for what concerns all tasks, such as the total loss"),
    "metric": ("VARCHAR", "loss, learning_rate or the name of a metric"),
}
_ATTEMPT = {"attempt": ("BIGINT", "the attempt that recorded this row, 1-based")}
_TIME = {"time": ("TIMESTAMP", "when it was recorded, UTC")}
_STEP = {
    "step": ("BIGINT", "optimizer steps done"),
    "epoch": ("DOUBLE", "passes over the training data done"),
}
_VALUE = {"value": ("DOUBLE", "the measured value")}
_EXTREMES = {
    "n": ("BIGINT", "points"),
    "first_step": ("BIGINT", "the lowest step with a finite value"),
    "first": ("DOUBLE", "the value there"),
    "last_step": ("BIGINT", "the highest step with a finite value"),
    "last": ("DOUBLE", "the value there"),
    "min_step": ("BIGINT", "the first step with the least value"),
    "min": ("DOUBLE", "the least finite value"),
    "max_step": ("BIGINT", "the first step with the greatest value"),
    "max": ("DOUBLE", "the greatest finite value"),
}
_BEST = {
    "best_step": ("BIGINT", "the first step with the best value"),
    "best": ("DOUBLE", "the best finite value: the least where less is better"),
}
_REST = {
    "not_finite": ("BIGINT", "points whose value is NaN or infinite"),
    "not_finite_step": ("BIGINT", "the first step with such a value"),
    "step": ("BIGINT", "the highest step"),
    "epoch": ("DOUBLE", "the highest epoch"),
    "time": ("TIMESTAMP", "when the latest point was recorded, UTC"),
}

NARROW = {
    "run_ids": Table("Numbers of runs.", {**_RUN_ID, **_RUN}),
    "metric_ids": Table("Numbers of splits, tasks and metrics together.", {**_METRIC_ID, **_METRIC}),
    "points": Table(
        "One row a point of a curve, in the order of the logs; `metrics` shows it in words.",
        {**_RUN_ID, **_METRIC_ID, **_ATTEMPT, **_TIME, **_STEP, **_VALUE},
    ),
    "series": Table(
        "One row a curve of a run, brought up to date with its points; `metric_last` shows it in words.",
        {**_RUN_ID, **_METRIC_ID, **_EXTREMES, **_REST},
    ),
    "summaries": Table(
        "Parameters and test scores of each run in maps, from which `run_summary` is made.",
        {
            **_RUN,
            "params": ("MAP(VARCHAR, VARCHAR)", "dotted path in the spec -> value as text"),
            "scores": ("MAP(VARCHAR, DOUBLE)", "task.metric -> score of the best model on test"),
        },
    ),
}
_WORDS = "JOIN run_ids r ON r.run_id = p.run_id JOIN metric_ids m ON m.metric_id = p.metric_id"
SHOWN = {
    "metrics": Table(
        "One row a point of a curve; a resumed run replays steps and replaces points. Values may be NaN: see `curves`.",
        {**_RUN, **_ATTEMPT, **_TIME, **_STEP, **_METRIC, **_VALUE},
        ("run", "step", "split", "task", "metric"),
        f"SELECT r.run, p.attempt, p.time, p.step, p.epoch, m.split, m.task, m.metric, p.value FROM points p {_WORDS}",
    ),
    "metric_last": Table(
        "One row a curve of a run: where it began, where it is, its best value.",
        {**_RUN, **_METRIC, **_EXTREMES, **_BEST, **_REST},
        ("run", "split", "task", "metric"),
        f"""
        SELECT r.run, m.split, m.task, m.metric, p.n, p.first_step, p.first, p.last_step, p.last,
               p.min_step, p.min, p.max_step, p.max,
               CASE WHEN lower_is_better(m.metric) THEN p.min_step ELSE p.max_step END AS best_step,
               CASE WHEN lower_is_better(m.metric) THEN p.min ELSE p.max END AS best,
               p.not_finite, p.not_finite_step, p.step, p.epoch, p.time
        FROM series p {_WORDS}
        """,
    ),
}
