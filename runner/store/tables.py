"""The tables of the database that are made of logs: columns with types and sentences, what a later record replaces.

Times are UTC. Every row of a run goes when its log is read anew, so each table has `run`.
"""

from __future__ import annotations

from runner.store.narrow import SHOWN
from runner.store.view import Table as Table

_ORIGIN = {
    "run": ("VARCHAR", "id of the run, the name of its folder"),
    "attempt": ("BIGINT", "the attempt that recorded this row, 1-based"),
}
_RUN = {"run": _ORIGIN["run"]}
_SPLIT = {"split": ("VARCHAR", "train, validation or test; empty where a record names none")}
_TASK = {"task": ("VARCHAR", "the task in the spec; empty for what concerns all tasks, such as the total loss")}
_TIME = {"time": ("TIMESTAMP", "when it was recorded, UTC")}
_METRIC = {"metric": ("VARCHAR", "loss, learning_rate or the name of a metric")}

TABLES = {
    "runs": Table(
        "One row a run; a run is one trial of an experiment with one seed.",
        {
            **_RUN,
            "attempts": ("BIGINT", "the highest attempt so far; above 1 after a resume"),
            "name": ("VARCHAR", "name of the experiment"),
            "description": ("VARCHAR", "what the author says about it"),
            "seed": ("BIGINT", "seed of every random choice"),
            "trial_key": ("VARCHAR", "fingerprint of all that decides the result; equal keys mean an equal trial"),
            "plan_key": ("VARCHAR", "fingerprint of the plan that this run belongs to"),
            "spec_file": ("VARCHAR", "path of the spec as it was given"),
            "git_commit": ("VARCHAR", "commit of the working tree, if there was one"),
            "git_dirty": ("BOOLEAN", "whether the working tree had changes that were not committed"),
            "version": ("VARCHAR", "version of the runner"),
            "state": (
                "VARCHAR",
                "of the last attempt: running, finished, failed, pruned, interrupted or lost (its process died)",
            ),
            "started": ("TIMESTAMP", "begin of the first attempt, UTC"),
            "finished": ("TIMESTAMP", "end of the last attempt, UTC; null while it runs or when it was lost"),
            "seconds": ("DOUBLE", "wall time of all attempts that ended, summed"),
        },
        ("run",),
    ),
    "attempts": Table(
        "One row for each time a run was started or resumed.",
        {
            **_ORIGIN,
            "started": ("TIMESTAMP", "when it began, UTC"),
            "pid": ("BIGINT", "its process"),
            "host": ("VARCHAR", "the machine of the process"),
            "environment": ("JSON", "python, platform, processor, cores, memory in bytes, packages, git"),
            "finished": ("TIMESTAMP", "when it ended, UTC"),
            "seconds": ("DOUBLE", "wall time"),
            "state": ("VARCHAR", "running, finished, failed, pruned, interrupted or lost (its process died)"),
        },
        ("run", "attempt"),
    ),
    "specs": Table(
        "The spec of each run, as written and as resolved.",
        {
            **_ORIGIN,
            "text": ("VARCHAR", "the TOML as the author wrote it"),
            "resolved": ("JSON", "the complete spec with all defaults and the values of this trial"),
        },
        ("run",),
    ),
    "params": Table(
        "One row for each value of the resolved spec of a run.",
        {
            **_ORIGIN,
            "name": ("VARCHAR", "dotted path in the spec, such as train.learning_rate"),
            "value": ("VARCHAR", "the value as text; lists and tables as JSON"),
            "number": ("DOUBLE", "the value where it is a number, else null"),
            "kind": ("VARCHAR", "integer, float, boolean, string, list, table or null"),
        },
        ("run",),
    ),
    "packages": Table(
        "Installed packages of each attempt.",
        {**_ORIGIN, "name": ("VARCHAR", "name of the package"), "version": ("VARCHAR", "its version")},
        ("run", "attempt"),
    ),
    "stages": Table(
        "The stages that each attempt walked: what was done, and what was taken from the cache.",
        {
            **_ORIGIN,
            **_TIME,
            "name": ("VARCHAR", "name of the stage"),
            "key": ("VARCHAR", "fingerprint of its inputs"),
            "cached": ("BOOLEAN", "whether the result came from the cache"),
            "reason": ("VARCHAR", "why it was or was not cached"),
            "rows": ("BIGINT", "rows that came out"),
            "seconds": ("DOUBLE", "wall time"),
            "detail": ("JSON", "what else the stage tells"),
        },
        ("run", "attempt", "name", "key"),
    ),
    "data": Table(
        "The files that a run read, by content.",
        {
            **_ORIGIN,
            "data": ("VARCHAR", "name of the data set in the spec"),
            **_SPLIT,
            "file": ("VARCHAR", "path of the file"),
            "sha256": ("VARCHAR", "hash of its content"),
            "rows": ("BIGINT", "rows in it"),
            "bytes": ("BIGINT", "its size"),
        },
        ("run", "data", "split", "file"),
    ),
    "dropped_rows": Table(
        "Rows of the data that preparation left out or flagged, with the reason.",
        {
            **_ORIGIN,
            "data": ("VARCHAR", "name of the data set in the spec"),
            "position": ("BIGINT", "order among the rows of the data set that went, 0-based"),
            **_SPLIT,
            "file": ("VARCHAR", "path of the file it stands in"),
            "line": ("BIGINT", "line where it begins, 1-based"),
            "id": ("VARCHAR", "id of the example; empty where it had no text"),
            "step": ("VARCHAR", "what found it: read, a cleaner or leakage"),
            "reason": ("VARCHAR", "why it went, in words that many rows share"),
            "twin": ("VARCHAR", "id of the row that it repeats; empty if it repeats none"),
            "flagged": ("BOOLEAN", "whether it was only marked and stayed"),
            "text": ("VARCHAR", "its first 200 characters"),
        },
        ("run", "data", "position"),
    ),
    **SHOWN,
    "scores": Table(
        "Final scores of the best model and of the baselines, with their doubt.",
        {
            **_ORIGIN,
            **_SPLIT,
            "model": ("VARCHAR", "best, majority, tfidf, or before: the base before training"),
            **_TASK,
            **_METRIC,
            "position": ("BIGINT", "order in the record, 0-based; the first metric of a task is its main one"),
            "value": ("DOUBLE", "the score"),
            "low": ("DOUBLE", "lower end of the confidence interval, null if unknown"),
            "high": ("DOUBLE", "upper end of the confidence interval, null if unknown"),
            "n": ("BIGINT", "answers it was measured on"),
        },
        ("run", "split", "model", "task", "metric"),
    ),
    "group_scores": Table(
        "Scores of the best model on the examples that share a value of a column; `worst_groups` has the lowest.",
        {
            **_ORIGIN,
            **_SPLIT,
            **_TASK,
            "by_column": ("VARCHAR", "the column whose values make the groups, or length_bucket"),
            "group_name": ("VARCHAR", "the value; (none) where there is none"),
            **_METRIC,
            "position": ("BIGINT", "order of the metric among those of the task, 0-based; the first is its main one"),
            "value": ("DOUBLE", "the score"),
            "low": ("DOUBLE", "lower end of the confidence interval, null if unknown"),
            "high": ("DOUBLE", "upper end of the confidence interval, null if unknown"),
            "n": ("BIGINT", "answers in the group"),
            "enough": ("BOOLEAN", "whether these are as many as the worst group needs"),
        },
        ("run", "split", "task", "by_column", "group_name", "metric"),
    ),
    "answers": Table(
        "One row for each answer of the best model; a record holds all answers of one task on one split.",
        {
            **_ORIGIN,
            **_SPLIT,
            **_TASK,
            "position": ("BIGINT", "order in the record, 0-based"),
            "id": ("VARCHAR", "id of the example, the hash of its content"),
            "gold": (
                "VARCHAR",
                "label, number, or JSON list of labels or tags in the data; of likelihoods the number of tokens, bytes",
            ),
            "predicted": ("VARCHAR", "what the model answered, in the same form"),
            "confidence": ("DOUBLE", "probability of the chosen label; null where not one is chosen"),
            "gold_probability": ("DOUBLE", "probability of the label in the data; null where there is not one"),
            "text": ("VARCHAR", "what the model read"),
            "shape": (
                "VARCHAR",
                "choices, sets, quantities, tags, texts, likelihoods, preferences or ranks; null in old logs: choices",
            ),
        },
        ("run", "split", "task"),
    ),
    "samples": Table(
        "One row for each text that a language model wrote; a record holds those of one model for one task.",
        {
            **_ORIGIN,
            **_SPLIT,
            **_TASK,
            "model": ("VARCHAR", "best, or before: the base before training"),
            "position": ("BIGINT", "order in the record, 0-based"),
            "id": ("VARCHAR", "id of the example, the hash of its content"),
            "prompt": ("VARCHAR", "what the model was given"),
            "gold": ("VARCHAR", "the text in the data"),
            "text": ("VARCHAR", "what the model wrote"),
            "tokens": ("BIGINT", "tokens that it wrote, without the one that ends them"),
            "ended": ("BOOLEAN", "whether it came to an end, rather than to the most tokens"),
        },
        ("run", "split", "task", "model"),
    ),
    "judgements": Table(
        "One row for what a proxy or a judge says of each text in `samples`; a record holds those of one criterion.",
        {
            **_ORIGIN,
            **_SPLIT,
            **_TASK,
            "model": ("VARCHAR", "who wrote the text: best, or before: the base before training"),
            "judge": ("VARCHAR", "who says so: the kind of proxy, or the model that judges"),
            "fingerprint": ("VARCHAR", "hash of all that decides it: fields, and contents of models and files"),
            "criterion": ("VARCHAR", "what it is about; its mean is the score of this name"),
            "position": ("BIGINT", "order in the record, 0-based, as in `samples`"),
            "id": ("VARCHAR", "id of the example, the hash of its content"),
            "value": ("DOUBLE", "what was said; null where it can't be told"),
            "raw": ("VARCHAR", "what it was told from: the run that was found, or the judge's own words"),
        },
        ("run", "split", "task", "model", "criterion"),
    ),
    "labels": Table(
        "The labels of each task, in the order of the outputs of its head.",
        {
            **_ORIGIN,
            **_TASK,
            "position": ("BIGINT", "index of the output, 0-based"),
            "label": ("VARCHAR", "the label"),
        },
        ("run", "task"),
    ),
    "artifacts": Table(
        "Files that a run left.",
        {
            **_ORIGIN,
            **_TIME,
            "name": ("VARCHAR", "what it is"),
            "path": ("VARCHAR", "where it is"),
            "sha256": ("VARCHAR", "hash of its content"),
            "bytes": ("BIGINT", "its size"),
        },
        ("run", "name", "path"),
    ),
    "failures": Table(
        "Errors that ended an attempt.",
        {
            **_ORIGIN,
            **_TIME,
            "kind": ("VARCHAR", "class of the exception"),
            "message": ("VARCHAR", "what it says"),
            "trace": ("VARCHAR", "the end of the traceback"),
            "step": ("BIGINT", "optimizer steps done"),
        },
    ),
    "reviews": Table(
        "What people said of answers: a rating of one, or which of two runs did better on an example.",
        {
            **_ORIGIN,
            **_TIME,
            **_TASK,
            **_SPLIT,
            "id": ("VARCHAR", "id of the example, the hash of its content"),
            "reviewer": ("VARCHAR", "who said it"),
            "criterion": ("VARCHAR", "what was asked, such as overall"),
            "other": ("VARCHAR", "the run that it was compared with, whose name comes later; empty for a rating"),
            "verdict": ("VARCHAR", "better, worse or tie, as seen from `run`; empty for a rating"),
            "value": ("DOUBLE", "the rating; null for a comparison"),
            "note": ("VARCHAR", "what the reviewer remarked"),
            "seconds": ("DOUBLE", "how long the reviewer looked at it; null if unknown"),
        },
        ("run", "task", "split", "id", "reviewer", "criterion", "other"),
    ),
    "grid_trials": Table(
        "The trials of grids; a run may belong to several, and one without a row in `runs` has not begun.",
        {
            **_ORIGIN,
            **_TIME,
            "grid": ("VARCHAR", "name of the spec with the grid"),
            "grid_key": ("VARCHAR", "fingerprint of all its trials; an older one is of an earlier version of the grid"),
            "position": ("BIGINT", "place of the trial in the grid, 0-based"),
            "point": ("JSON", "what the grid sets: dotted fields and their values"),
        },
        ("run", "grid"),
    ),
    "settings": Table(
        "Which runs differ in nothing but the seed: they have the same setting.",
        {
            **_RUN,
            "setting": (
                "VARCHAR",
                "hash of all of the spec that decides a result but the seed, and of the files' contents",
            ),
        },
        ("run",),
    ),
    "asked": Table(
        "Which examples each run was asked: those with equal hashes can be compared.",
        {
            **_RUN,
            **_SPLIT,
            **_TASK,
            "n": ("BIGINT", "answers"),
            "examples": ("VARCHAR", "hash of the ids of the examples, in no order"),
        },
        ("run", "split", "task"),
    ),
    "feedback": Table(
        "What people said about answers of a model in use; empty until some is recorded.",
        {
            **_ORIGIN,
            **_TIME,
            **_TASK,
            "id": ("VARCHAR", "id of the example, the hash of its content"),
            "predicted": ("VARCHAR", "what the model answered"),
            "gold": ("VARCHAR", "what would have been right; null where nobody said"),
            "verdict": ("VARCHAR", "right, wrong or unsure"),
            "source": ("VARCHAR", "who said so"),
            "text": ("VARCHAR", "what the model read"),
        },
    ),
    "monitoring": Table(
        "What was measured of a model in use; empty until something is measured.",
        {
            **_ORIGIN,
            **_TIME,
            **_TASK,
            **_METRIC,
            "value": ("DOUBLE", "the measured value"),
            "low": ("DOUBLE", "the least value that raises no alarm; null if there is none"),
            "high": ("DOUBLE", "the greatest value that raises no alarm; null if there is none"),
            "n": ("BIGINT", "answers it was measured on"),
            "alarm": ("BOOLEAN", "whether the value lies outside"),
        },
    ),
    "other_events": Table(
        "Records of logs that have no table of their own.",
        {
            **_ORIGIN,
            **_TIME,
            "event": ("VARCHAR", "name of the event"),
            "fields": ("JSON", "the whole record"),
        },
    ),
    "bad_lines": Table(
        "Lines of logs that could not be read, such as one torn by a kill.",
        {
            **_RUN,
            "position": ("BIGINT", "byte in the log where the line begins"),
            "reason": ("VARCHAR", "what is wrong with it"),
            "text": ("VARCHAR", "its first 200 characters"),
        },
    ),
    "offsets": Table(
        "How far each log has been read.",
        {
            **_RUN,
            "position": ("BIGINT", "bytes read; the next line begins there"),
            "head": ("VARCHAR", "hash of the first bytes, which tells a log that was replaced"),
        },
        ("run",),
    ),
}
