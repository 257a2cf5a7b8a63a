"""Standings: views of all runs together: who leads, how much is luck, what is at work, what failed."""

from __future__ import annotations

from runner.store.view import View

# Fields of a spec that change no result, or only by the seed; files count by what they hold.
_ELSEWHERE = "name|description|extends|seeds?|(grid|search|execute)(\\..*)?"
_ELSEWHERE += "|data\\.[^.]+\\.(train|validation|test|license|groups)"
_ELSEWHERE += "|evaluate\\.require(\\..*)?"
_ELSEWHERE += "|train\\.(checkpoint_minutes|gradient_checkpointing|strategy|devices)"

_SETTING = {"setting": "hash of all of the spec that decides a result but the seed, and of the files' contents"}
_SCORE = {
    "split": "train, validation or test",
    "task": "the task in the spec",
    "metric": "name of the metric",
}
_OVER = {
    "mean": "mean of the score over the seeds",
    "sd": "standard deviation over the seeds; null of one",
    "low": "lower end of Student's 95 % interval of the mean; null of one seed",
    "high": "upper end of Student's 95 % interval of the mean; null of one seed",
}

STANDINGS = {
    "settings": View(
        "Which runs differ in nothing but the seed: they have the same setting.",
        f"""
        SELECT r.run, md5(concat_ws(chr(10), p.spec, d.files)) AS setting
        FROM runs r
        LEFT JOIN (
            SELECT run, string_agg(name || '=' || coalesce(value, ''), chr(10) ORDER BY name) AS spec
            FROM params WHERE NOT regexp_full_match(name, '{_ELSEWHERE}') GROUP BY run
        ) p ON p.run = r.run
        LEFT JOIN (
            SELECT run, string_agg(data || ' ' || split || ' ' || sha256, chr(10) ORDER BY data, split, sha256) AS files
            FROM data GROUP BY run
        ) d ON d.run = r.run
        """,
        {"run": "id of the run", **_SETTING},
    ),
    "seed_stats": View(
        "Scores of finished runs over the seeds of each setting; the interval tells the luck of seeds, not of rows.",
        """
        SELECT setting, min(r.name) AS name, s.split, s.task, s.metric, min(s.position) AS position,
               count(*) AS seeds, avg(s.value) AS mean, stddev_samp(s.value) AS sd,
               mean - t_quantile(seeds - 1) * sd / sqrt(seeds) AS low,
               mean + t_quantile(seeds - 1) * sd / sqrt(seeds) AS high,
               min(s.value) AS min, max(s.value) AS max, list(r.run ORDER BY r.seed, r.run) AS runs
        FROM final_scores s JOIN runs r ON r.run = s.run JOIN settings g ON g.run = s.run
        WHERE r.state = 'finished'
        GROUP BY setting, s.split, s.task, s.metric
        ORDER BY name, setting, s.task, s.split, position, s.metric
        """,
        {
            **_SETTING,
            "name": "name of an experiment with this setting",
            **_SCORE,
            "position": "order among the scores of a run, 0-based; the first metric of a task is its main one",
            "seeds": "finished runs with this score",
            **_OVER,
            "min": "lowest score",
            "max": "highest score",
            "runs": "the runs, by their seeds",
        },
    ),
    "leaderboard": View(
        "Settings by the mean of their main score, the best first, among those that were asked the same examples.",
        """
        WITH asked AS (
            SELECT run, split, task, bit_xor(hash(id)) AS examples FROM answers GROUP BY run, split, task
        )
        SELECT rank() OVER (
                   PARTITION BY s.split, s.task, s.metric, a.examples
                   ORDER BY CASE WHEN lower_is_better(s.metric) THEN s.mean ELSE -s.mean END
               ) AS place,
               s.name, s.setting, s.split, s.task, s.metric, s.mean, s.sd, s.low, s.high, s.seeds, s.runs,
               to_hex(a.examples) AS examples
        FROM seed_stats s
        LEFT JOIN asked a ON a.run = s.runs[1] AND a.split = s.split AND a.task = s.task
        WHERE s.position = 0
        ORDER BY s.task, s.split, s.metric, examples, place, s.setting
        """,
        {
            "place": "1 for the best of those with equal split, task, metric and examples",
            "name": "name of an experiment with this setting",
            **_SETTING,
            **_SCORE,
            **_OVER,
            "seeds": "finished runs with this score",
            "runs": "the runs, by their seeds",
            "examples": "hash of which examples were asked; null where nothing tells",
        },
    ),
    "runs_wide": View(
        "One row a run with the settings that are asked for most and the first main score; maps hold all others.",
        """
        SELECT r.run, r.name, r.seed, r.state, r.started, r.seconds, g.setting,
               p['model.base'] AS base, p['model.adapter.type'] AS adapter,
               try_cast(p['model.adapter.rank'] AS BIGINT) AS rank,
               try_cast(p['model.max_length'] AS BIGINT) AS max_length,
               try_cast(p['train.epochs'] AS DOUBLE) AS epochs,
               try_cast(p['train.batch_size'] AS BIGINT) AS batch_size,
               try_cast(p['train.learning_rate'] AS DOUBLE) AS learning_rate,
               p['train.precision'] AS "precision",
               s.split, s.task, s.metric, s.value, s.low, s.high, s.n, p AS params, r.scores
        FROM (SELECT *, params AS p FROM run_summary) r
        JOIN settings g ON g.run = r.run
        LEFT JOIN (
            SELECT * FROM final_scores WHERE position = 0
            QUALIFY row_number() OVER (PARTITION BY run ORDER BY split <> 'test', split <> 'validation', task) = 1
        ) s ON s.run = r.run
        """,
        {
            "run": "id of the run",
            "name": "name of the experiment",
            "seed": "seed of every random choice",
            "state": "running, finished, failed, pruned, interrupted or lost",
            "started": "begin of the first attempt, UTC",
            "seconds": "wall time of all attempts that ended, summed",
            **_SETTING,
            "base": "model that training begins with",
            "adapter": "type of adapter; null where all weights are trained",
            "rank": "rank of the adapter, where it has one",
            "max_length": "longest sequence in tokens",
            "epochs": "passes over the training data",
            "batch_size": "rows of a batch",
            "learning_rate": "highest learning rate",
            "precision": "numbers that training computes in",
            "split": "split of the score: test where there is one",
            "task": "the first task by name",
            "metric": "its main metric",
            "value": "its score",
            "low": "lower end of its confidence interval",
            "high": "upper end of its confidence interval",
            "n": "answers it was measured on",
            "params": "dotted path in the spec -> value as text",
            "scores": "task.metric -> score of the best model on test",
        },
    ),
    "live": View(
        "Runs at work, with the last point of their curves; how fresh it is, `silent` tells.",
        """
        SELECT r.run, r.name, r.seed, a.attempt, a.host, a.pid, a.started,
               epoch(now() AT TIME ZONE 'UTC' - a.started) AS seconds, m.step, m.epoch, m.loss,
               epoch(now() AT TIME ZONE 'UTC' - coalesce(m.time, a.started)) AS silent
        FROM runs r JOIN attempts a ON a.run = r.run AND a.attempt = r.attempts
        LEFT JOIN (
            SELECT run, max(time) AS time, max(step) AS step, max(epoch) AS epoch,
                   arg_max(value, step) FILTER (
                       metric = 'loss' AND split = 'train' AND task = '' AND isfinite(value)
                   ) AS loss
            FROM metrics GROUP BY run
        ) m ON m.run = r.run
        WHERE r.state = 'running'
        ORDER BY a.started, r.run
        """,
        {
            "run": "id of the run",
            "name": "name of the experiment",
            "seed": "seed of every random choice",
            "attempt": "1 for the first, one more for each resume",
            "host": "the machine",
            "pid": "its process there",
            "started": "begin of this attempt, UTC",
            "seconds": "since then",
            "step": "optimizer steps done",
            "epoch": "passes over the training data done",
            "loss": "last training loss of all tasks; null before the first",
            "silent": "seconds since the last point of a curve",
        },
    ),
    "failures_by_class": View(
        "Errors that ended attempts by class and message, the most frequent first; numbers in messages count as equal.",
        """
        SELECT kind, message, count(*) AS count, count(DISTINCT run) AS runs, min(time) AS first, max(time) AS last,
               arg_max(run, time) AS last_run
        FROM (
            SELECT run, time, kind, regexp_replace(message, '[0-9]+(\\.[0-9]+)?', '#', 'g') AS message FROM failures
            UNION ALL
            SELECT run, started, 'lost', 'its process died' FROM attempts WHERE state = 'lost'
        )
        GROUP BY kind, message ORDER BY count DESC, kind, message
        """,
        {
            "kind": "class of the exception; lost where the process died without a word",
            "message": "what it says, with # for each number",
            "count": "attempts that ended so",
            "runs": "runs that they belong to",
            "first": "when it happened first, UTC",
            "last": "when it happened last, UTC",
            "last_run": "the run of the last time: its row in `failures` has the trace",
        },
    ),
}
