"""The views: what people usually ask, with NaN and infinities kept out (DuckDB sorts NaN above every number)."""

from __future__ import annotations

from runner.store.groups import GROUPS
from runner.store.origins import ORIGINS
from runner.store.reproductions import REPRODUCTIONS
from runner.store.standings import STANDINGS
from runner.store.view import View as View

_PLACE = {
    "run": "id of the run",
    "split": "train, validation or test",
    "task": "the task in the spec; empty for what concerns all tasks",
}

VIEWS = {
    "final_scores": View(
        "Final scores of the best model beside the baselines; finite values only.",
        """
        SELECT run, split, task, metric, any_value(position) FILTER (model = 'best') AS position,
               max(value) FILTER (model = 'best') AS value, max(low) FILTER (model = 'best' AND isfinite(low)) AS low,
               max(high) FILTER (model = 'best' AND isfinite(high)) AS high, max(n) FILTER (model = 'best') AS n,
               max(value) FILTER (model = 'majority' AND isfinite(value)) AS baseline_majority,
               max(value) FILTER (model = 'tfidf' AND isfinite(value)) AS baseline_tfidf,
               max(value) FILTER (model = 'before' AND isfinite(value)) AS before_training
        FROM scores GROUP BY run, split, task, metric HAVING isfinite(max(value) FILTER (model = 'best'))
        """,
        {
            **_PLACE,
            "metric": "name of the metric",
            "position": "order among the scores of the run, 0-based; the first metric of a task is its main one",
            "value": "score of the best model",
            "low": "lower end of its confidence interval",
            "high": "upper end of its confidence interval",
            "n": "answers it was measured on",
            "baseline_majority": "score of always answering the most frequent label; null if not measured",
            "baseline_tfidf": "score of a linear model over TF-IDF; null if not measured",
            "before_training": "score of the base before training; null if not measured",
        },
    ),
    "preparation": View(
        "What each step of preparation did to how many rows; `dropped_rows` has the rows that went.",
        """
        SELECT run, attempt, name AS stage, cached, each.step AS step,
               CASE each.split WHEN '' THEN string_split(name, ' ')[-1] ELSE each.split END AS split, each.rows AS rows,
               each.kept AS kept, each.changed AS changed, each.made AS made, each.dropped AS dropped,
               each.flagged AS flagged, each.refused AS refused, each.seconds AS seconds, position
        FROM (
            SELECT *, unnest(account) AS each, unnest(range(len(account))) AS position
            FROM (
                SELECT run, attempt, name, cached, from_json(detail -> '$.account', '[{
                    "step": "VARCHAR", "split": "VARCHAR", "rows": "BIGINT", "kept": "BIGINT", "changed": "BIGINT",
                    "made": "BIGINT", "dropped": "JSON", "flagged": "JSON", "refused": "JSON", "seconds": "DOUBLE"
                }]') AS account
                FROM stages
            )
        )
        """,
        {
            "run": "id of the run",
            "attempt": "1 for the first, one more for each resume",
            "stage": "name of the stage, with its data set",
            "cached": "whether it was there before",
            "step": "cleaner, augmentation or other step",
            "split": "train, validation or test",
            "rows": "rows that went in",
            "kept": "rows that came out, those that it made included",
            "changed": "rows whose text changed",
            "made": "new rows",
            "dropped": "rows that went, by reason",
            "flagged": "rows that were only marked, by reason",
            "refused": "new rows that were not taken, by reason",
            "seconds": "time that it took whoever did it",
            "position": "order within the stage, 0-based",
        },
    ),
    "run_params": View(
        "One row for each parameter of each run, beside what the run is.",
        """
        SELECT r.run, r.name AS experiment, r.seed, r.state, p.name, p.value, p.number
        FROM runs r JOIN params p ON p.run = r.run
        """,
        {
            "run": "id of the run",
            "experiment": "name of the experiment",
            "seed": "seed of every random choice",
            "state": "running, finished, failed, pruned, interrupted or lost",
            "name": "dotted path in the spec",
            "value": "the value as text",
            "number": "the value where it is a number",
        },
    ),
    "run_summary": View(
        "One row a run with its parameters and final test scores: params['train.epochs'], scores['task.metric'].",
        """
        SELECT r.run, r.name, r.description, r.seed, r.state, r.started, r.finished, r.seconds, r.attempts,
               r.trial_key, r.plan_key, s.params, s.scores
        FROM runs r LEFT JOIN summaries s ON s.run = r.run
        """,
        {
            "run": "id of the run",
            "name": "name of the experiment",
            "description": "what the author says about it",
            "seed": "seed of every random choice",
            "state": "running, finished, failed, pruned, interrupted or lost",
            "started": "begin of the first attempt, UTC",
            "finished": "end of the last attempt, UTC",
            "seconds": "wall time of all attempts that ended, summed",
            "attempts": "the highest attempt so far",
            "trial_key": "fingerprint of all that decides the result",
            "plan_key": "fingerprint of the plan that the run belongs to",
            "params": "dotted path in the spec -> value as text",
            "scores": "task.metric -> score of the best model on test",
        },
    ),
    "grid_members": View(
        "The trials of each grid as it was last run, with the state of their runs.",
        """
        SELECT g.grid, g.position, g.run, coalesce(r.state, 'planned') AS state, g.point, r.seed, r.started,
               round(r.seconds, 1) AS seconds
        FROM grid_trials g LEFT JOIN runs r ON r.run = g.run
        WHERE g.grid_key = (SELECT arg_max(l.grid_key, l.time) FROM grid_trials l WHERE l.grid = g.grid)
        """,
        {
            "grid": "name of the spec with the grid",
            "position": "place in the grid, 0-based",
            "run": "id of the run",
            "state": "planned, running, finished, failed, pruned, interrupted or lost",
            "point": "what the grid sets, and the seed: dotted fields and their values",
            "seed": "seed of every random choice",
            "started": "begin of the first attempt, UTC",
            "seconds": "wall time of all attempts that ended, summed",
        },
    ),
    "curves": View(
        "Points of curves that are finite; `not_finite` counts the others.",
        """
        SELECT run, attempt, time, step, epoch, split, task, metric, value FROM metrics WHERE isfinite(value)
        """,
        {
            "run": "id of the run",
            "attempt": "the attempt that recorded the point",
            "time": "when it was recorded, UTC",
            "step": "optimizer steps done",
            "epoch": "passes over the training data done",
            "split": "train, validation or test",
            "task": "the task in the spec; empty for what concerns all tasks",
            "metric": "loss, learning_rate or the name of a metric",
            "value": "the measured value",
        },
    ),
    "not_finite": View(
        "How many values of each metric of each run are NaN or infinite.",
        """
        SELECT 'metrics' AS source, run, split, task, metric, not_finite AS count, not_finite_step AS first_step
        FROM metric_last WHERE not_finite > 0
        UNION ALL
        SELECT 'scores', run, split, task, metric, count(*), NULL
        FROM scores WHERE NOT isfinite(value) GROUP BY run, split, task, metric
        """,
        {
            "source": "the table that holds them: metrics or scores",
            **_PLACE,
            "metric": "name of the metric",
            "count": "values that are not finite",
            "first_step": "the first step with such a value; null for scores",
        },
    ),
    "confusion": View(
        "How often each label in the data met each answer.",
        """
        SELECT run, split, task, gold, predicted, count(*) AS count
        FROM answers WHERE coalesce(shape, 'choices') = 'choices' GROUP BY run, split, task, gold, predicted
        """,
        {**_PLACE, "gold": "label in the data", "predicted": "label that the model chose", "count": "answers"},
    ),
    "worst_mistakes": View(
        "Wrong answers with their texts, the surest mistake first.",
        """
        SELECT run, split, task, id, gold, predicted, CASE WHEN isfinite(confidence) THEN confidence END AS confidence,
               CASE WHEN isfinite(gold_probability) THEN gold_probability END AS gold_probability, text
        FROM answers WHERE gold IS DISTINCT FROM predicted
        ORDER BY 7 DESC NULLS LAST, run, split, task, position
        """,
        {
            **_PLACE,
            "id": "id of the example",
            "gold": "label in the data",
            "predicted": "label that the model chose",
            "confidence": "probability of the wrong label; null if it was not finite",
            "gold_probability": "probability of the label in the data; null if it was not finite",
            "text": "what the model read",
        },
    ),
    "class_scores": View(
        "Precision, recall and F1 of each label, from the answers.",
        """
        WITH sides AS (
            SELECT run, split, task, gold AS label, 1 AS gold, 0 AS guess, (gold = predicted)::INT AS hit
            FROM answers WHERE coalesce(shape, 'choices') = 'choices'
            UNION ALL
            SELECT run, split, task, predicted, 0, 1, 0
            FROM answers WHERE coalesce(shape, 'choices') = 'choices'
        )
        SELECT run, split, task, label, sum(hit) / nullif(sum(guess), 0) AS precision,
               sum(hit) / nullif(sum(gold), 0) AS recall, 2 * sum(hit) / (sum(gold) + sum(guess)) AS f1,
               sum(gold)::BIGINT AS support
        FROM sides GROUP BY run, split, task, label
        """,
        {
            **_PLACE,
            "label": "the label",
            "precision": "share of right answers among the times it was chosen; null if it never was",
            "recall": "share of its examples that were found; null if the data has none",
            "f1": "harmonic mean of both",
            "support": "examples with this label in the data",
        },
    ),
    **GROUPS,
    **STANDINGS,
    **ORIGINS,
    **REPRODUCTIONS,
}
