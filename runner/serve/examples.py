"""Statements to begin with: each stands in docs/store.md too, where it is explained."""

from __future__ import annotations

EXAMPLES = {
    "Runs and their settings": (
        "SELECT run, learning_rate, rank, value, params['train.schedule'] AS schedule"
        " FROM runs_wide ORDER BY value DESC"
    ),
    "A column for each field": (
        "PIVOT (SELECT run, name, value FROM run_params WHERE name LIKE 'model.adapter.%')"
        " ON name USING any_value(value)"
    ),
    "Means over seeds": "SELECT name, task, metric, seeds, mean, sd, low, high FROM seed_stats WHERE split = 'test'",
    "What is at work": "SELECT run, epoch, step, loss, seconds, silent FROM live",
    "What failed": "SELECT kind, message, count, last_run FROM failures_by_class",
    "What a view has": "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'answers'",
}
