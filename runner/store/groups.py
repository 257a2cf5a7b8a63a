"""The view over groups of examples: where a model does worst, and how much worse than on all of them."""

from __future__ import annotations

from runner.store.view import View

GROUPS = {
    "worst_groups": View(
        "The group with the lowest score of each column of `[evaluate] by`, and how far it is below all examples.",
        """
        SELECT run, split, task, by_column, metric, position, group_name AS worst, value,
               CASE WHEN isfinite(low) THEN low END AS low, CASE WHEN isfinite(high) THEN high END AS high, n,
               count(*) OVER (PARTITION BY run, split, task, by_column, metric) AS group_count, overall, gap
        FROM (
            SELECT g.*, s.value AS overall,
                   CASE WHEN lower_is_better(g.metric) THEN g.value - s.value ELSE s.value - g.value END AS gap
            FROM group_scores g
            JOIN scores s ON (s.run, s.split, s.task, s.metric) = (g.run, g.split, g.task, g.metric)
            WHERE s.model = 'best' AND g.enough AND isfinite(g.value) AND isfinite(s.value)
        )
        QUALIFY row_number() OVER (PARTITION BY run, split, task, by_column, metric ORDER BY gap DESC, group_name) = 1
        """,
        {
            "run": "id of the run",
            "split": "train, validation or test",
            "task": "the task in the spec",
            "by_column": "the column whose values make the groups, or length_bucket",
            "metric": "name of the metric",
            "position": "order of the metric among those of the task, 0-based; the first is its main one",
            "worst": "the group, of those with enough examples",
            "value": "its score",
            "low": "lower end of its confidence interval, as if it had not been chosen by its score",
            "high": "upper end of its confidence interval, as if it had not been chosen by its score",
            "n": "answers in it",
            "group_count": "groups with enough examples",
            "overall": "the score on all examples",
            "gap": "how much worse the group is than all examples",
        },
    ),
}
