"""The macros: views with words to fill in; a run is meant by its name or by a unique beginning of it."""

from __future__ import annotations

from runner.store.view import Macro

# Metrics of which less is better; those of plug-ins count as better the higher they are.
LOWER = (
    "aurc",
    "bits_per_byte",
    "brier_score",
    "expected_calibration_error",
    "hamming_loss",
    "log_loss",
    "loss",
    "mean_absolute_error",
    "perplexity",
    "root_mean_squared_error",
)
# 0.975 quantiles of Student's t with 1, 2, ... degrees of freedom.
QUANTILES = (
    "12.706204736, 4.302652730, 3.182446305, 2.776445105, 2.570581836, 2.446911851, 2.364624252, 2.306004135, "
    "2.262157163, 2.228138852, 2.200985160, 2.178812830, 2.160368656, 2.144786688, 2.131449546, 2.119905299, "
    "2.109815578, 2.100922040, 2.093024054, 2.085963447"
)
# Beyond the table a series in 1 / freedom around the quantile of the normal distribution (Abramowitz, Stegun 26.7.5).
_SERIES = "1.959963985 + 2.372271230 / df + 2.822501170 / df ** 2 + 2.555849701 / df ** 3"

_PLACE = {
    "split": "train, validation or test",
    "task": "the task in the spec",
}
_SIDES = """
            SELECT *, row_number() OVER (PARTITION BY split, task, id ORDER BY position) AS copy
            FROM answers WHERE run = run_named({side})
"""
_WORDS = "from_json({side}, '[\"VARCHAR\"]')"
_GOLD, _PREDICTED = _WORDS.format(side="gold"), _WORDS.format(side="predicted")

# In the order in which they are made; views may use those without columns.
MACROS = {
    "run_named": Macro(
        "The name of the run that has this name or whose name alone begins so.",
        ("word",),
        """
        (SELECT CASE WHEN count(*) = 1 THEN any_value(r.run)
                     ELSE error('`' || word || '` names ' || count(*) || ' runs') END
         FROM runs r WHERE r.run = word
            OR (starts_with(r.run, word) AND NOT EXISTS (SELECT 1 FROM runs x WHERE x.run = word)))
        """,
        {},
    ),
    "t_quantile": Macro(
        "The 0.975 quantile of Student's t distribution; null below one degree of freedom.",
        ("df",),
        f"CASE WHEN df < 1 THEN NULL WHEN df <= 20 THEN [{QUANTILES}][df::BIGINT] ELSE {_SERIES} END",
        {},
    ),
    "lower_is_better": Macro(
        "Whether less is better of a metric.",
        ("name",),
        f"split_part(name, '.', 1) IN ({', '.join(repr(each) for each in LOWER)})",
        {},
    ),
    "curve": Macro(
        "The finite points of one curve of a run; the metric may be loss, macro_f1 or task.macro_f1.",
        ("this_run", "this_metric"),
        """
        SELECT step, epoch, split, task, metric, value FROM curves
        WHERE run = run_named(this_run)
          AND (metric = this_metric OR task || '.' || metric = this_metric)
        ORDER BY split, task, metric, step
        """,
        {
            "step": "optimizer steps done",
            "epoch": "passes over the training data done",
            **_PLACE,
            "metric": "loss, learning_rate or the name of a metric",
            "value": "the measured value",
        },
    ),
    "compare": Macro(
        "Final scores of two runs side by side; `runner compare` says how sure the differences are.",
        ("a", "b"),
        """
        SELECT split, task, metric, one.value AS value_a, other.value AS value_b,
               other.value - one.value AS difference,
               CASE WHEN difference = 0 THEN '' WHEN (difference > 0) <> lower_is_better(metric) THEN 'b'
                    WHEN difference IS NOT NULL THEN 'a' END AS better,
               one.n AS n_a, other.n AS n_b
        FROM (SELECT * FROM final_scores WHERE run = run_named(a)) one
        FULL JOIN (SELECT * FROM final_scores WHERE run = run_named(b)) other USING (split, task, metric)
        ORDER BY split, task, coalesce(one.position, other.position), metric
        """,
        {
            **_PLACE,
            "metric": "name of the metric",
            "value_a": "score of the first run; null where it has none",
            "value_b": "score of the second run; null where it has none",
            "difference": "that of the second less that of the first",
            "better": "a or b; empty where they are equal, null where one has no score",
            "n_a": "answers that the first was measured on",
            "n_b": "answers that the second was measured on",
        },
    ),
    "worst_answers": Macro(
        "Answers of a run for a task, the worst first.",
        ("this_run", "this_task"),
        f"""
        SELECT split, id, CASE coalesce(shape, 'choices')
                   WHEN 'quantities' THEN abs(try_cast(gold AS DOUBLE) - try_cast(predicted AS DOUBLE))
                   WHEN 'ranks' THEN try_cast(predicted AS DOUBLE) - 1
                   WHEN 'sets' THEN TRY(len(list_filter({_GOLD}, lambda x: NOT list_contains({_PREDICTED}, x)))
                                      + len(list_filter({_PREDICTED}, lambda x: NOT list_contains({_GOLD}, x))))
                   WHEN 'tags' THEN TRY(len(list_filter(
                       list_zip({_GOLD}, {_PREDICTED}), lambda x: x[1] IS DISTINCT FROM x[2])))
                   WHEN 'texts' THEN (gold IS DISTINCT FROM predicted)::INT
                   ELSE CASE WHEN isfinite(gold_probability) THEN 1 - gold_probability END
               END::DOUBLE AS wrong,
               gold, predicted, CASE WHEN isfinite(confidence) THEN confidence END AS confidence, "text"
        FROM answers WHERE run = run_named(this_run) AND task = this_task
        ORDER BY wrong DESC NULLS LAST, gold IS NOT DISTINCT FROM predicted, split, position
        """,
        {
            "split": "train, validation or test",
            "id": "id of the example",
            "wrong": "1 less the probability of the right answer; for numbers the distance, for ranks the texts before"
            " the right one, for labels and tags how many are wrong",
            "gold": "what the data say",
            "predicted": "what the model answered",
            "confidence": "probability of its answer; null where there is none",
            "text": "what the model read",
        },
    ),
    "disagreements": Macro(
        "Examples that two runs answered otherwise, with who was right.",
        ("a", "b"),
        f"""
        SELECT split, task, id, one.gold AS gold, one.predicted AS predicted_a, other.predicted AS predicted_b,
               one.gold IS NOT DISTINCT FROM one.predicted AS right_a,
               other.gold IS NOT DISTINCT FROM other.predicted AS right_b,
               one.gold IS DISTINCT FROM other.gold AS gold_differs, one."text" AS "text"
        FROM ({_SIDES.format(side="a")}) one JOIN ({_SIDES.format(side="b")}) other USING (split, task, id, copy)
        WHERE one.predicted IS DISTINCT FROM other.predicted
        ORDER BY split, task, one.position
        """,
        {
            **_PLACE,
            "id": "id of the example",
            "gold": "what the data of the first run say",
            "predicted_a": "what the first answered",
            "predicted_b": "what the second answered",
            "right_a": "whether the first was right",
            "right_b": "whether the second was right",
            "gold_differs": "whether the data of the second say something else",
            "text": "what the models read",
        },
    ),
    "data_lineage": Macro(
        "How the rows of a run came about: the files, then what each stage did in order, up to the tokens.",
        ("this_run",),
        """
        WITH walked AS (
            SELECT * FROM stages s WHERE s.run = run_named(this_run)
            QUALIFY rank() OVER (ORDER BY attempt DESC) = 1
        )
        SELECT data, split, stage, step, key, rows, kept, dropped, cached
        FROM (
            SELECT d.data, d.split, 'file' AS stage, d.file AS step, d.sha256 AS key, d.rows, d.rows AS kept,
                   NULL::JSON AS dropped, NULL::BOOLEAN AS cached, NULL::TIMESTAMP AS time, 0 AS position
            FROM data d WHERE d.run = run_named(this_run)
            UNION ALL
            SELECT split_part(w.name, ' ', 2), p.split, split_part(w.name, ' ', 1), p.step, w.key, p.rows, p.kept,
                   p.dropped, w.cached, w.time, p.position
            FROM walked w JOIN preparation p ON p.run = w.run AND p.attempt = w.attempt AND p.stage = w.name
            UNION ALL
            SELECT split_part(split_part(w.name, ' ', 2), ':', 1), split_part(w.name, ' ', 3),
                   split_part(w.name, ' ', 1), split_part(w.name, ' ', 2), w.key, w.rows, w.rows, NULL, w.cached,
                   w.time, 0
            FROM walked w WHERE split_part(w.name, ' ', 1) IN ('encode', 'activate')
        )
        ORDER BY data, time NULLS FIRST, list_position(['clean', 'split', 'balance', 'augment', 'written'], stage),
                 position, split, step
        """,
        {
            "data": "name of the data set in the spec",
            "split": "train, validation or test",
            "stage": "file, clean, split, balance, augment, written, encode or activate",
            "step": "the file, the cleaner or other step, or the stream of tokens",
            "key": "hash of the file's content, or fingerprint of the stage's inputs",
            "rows": "rows that went in",
            "kept": "rows that came out",
            "dropped": "rows that went, by reason; `dropped_rows` has them",
            "cached": "whether the stage was there before",
        },
    ),
}
