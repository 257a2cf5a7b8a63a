"""Origins: views of what runs came from and went through: machines, files, and all that happened in order."""

from __future__ import annotations

from runner.store.view import View

# What of the environment is the working tree's, not the machine's.
_TREE = '{"git_commit": null, "git_dirty": null}'

ORIGINS = {
    "environments": View(
        "Machines with their packages, each once, whatever was checked out.",
        f"""
        SELECT md5(machine::VARCHAR) AS environment, machine ->> '$.python' AS python,
               machine ->> '$.platform' AS platform, machine ->> '$.processor' AS processor,
               try_cast(machine ->> '$.cores' AS BIGINT) AS cores, try_cast(machine ->> '$.memory' AS BIGINT) AS memory,
               runs, attempts, first, last, machine -> '$.packages' AS packages
        FROM (
            SELECT json_merge_patch(environment, '{_TREE}') AS machine, count(DISTINCT run) AS runs,
                   count(*) AS attempts, min(started) AS first, max(started) AS last
            FROM attempts WHERE environment IS NOT NULL GROUP BY machine
        )
        """,
        {
            "environment": "hash of all of it",
            "python": "version of Python",
            "platform": "operating system",
            "processor": "processor",
            "cores": "its cores",
            "memory": "bytes of memory",
            "runs": "runs that had it",
            "attempts": "attempts that had it",
            "first": "begin of the first of them, UTC",
            "last": "begin of the last of them, UTC",
            "packages": "installed packages with their versions",
        },
    ),
    "datasets": View(
        "Files that runs read, each content once, whatever they are called.",
        """
        SELECT sha256, max(rows) AS rows, max(bytes) AS bytes, list(DISTINCT data ORDER BY data) AS names,
               list(DISTINCT split ORDER BY split) AS splits, list(DISTINCT file ORDER BY file) AS files,
               count(DISTINCT run) AS runs
        FROM data WHERE sha256 IS NOT NULL GROUP BY sha256
        """,
        {
            "sha256": "hash of the content",
            "rows": "rows in it",
            "bytes": "its size",
            "names": "what specs call the data set",
            "splits": "train, validation or test",
            "files": "paths of files with this content",
            "runs": "runs that read it",
        },
    ),
    "events": View(
        "What happened to each run in order, points of curves aside.",
        """
        SELECT run, attempt, started AS time, 'run_started' AS event, host AS what, environment AS detail FROM attempts
        UNION ALL
        SELECT run, attempt, finished, 'run_finished', state, NULL FROM attempts WHERE finished IS NOT NULL
        UNION ALL
        SELECT run, attempt, time, 'stage', name, detail FROM stages
        UNION ALL
        SELECT run, attempt, time, 'artifact', path, NULL FROM artifacts
        UNION ALL
        SELECT run, attempt, time, 'failure', concat_ws(': ', kind, message), NULL FROM failures
        UNION ALL
        SELECT run, attempt, time, 'grid', grid, point FROM grid_trials
        UNION ALL
        SELECT run, attempt, time, event, NULL, fields FROM other_events
        ORDER BY run, time
        """,
        {
            "run": "id of the run",
            "attempt": "the attempt",
            "time": "when it was recorded, UTC",
            "event": "run_started, run_finished, stage, artifact, failure, grid, or the name of another record",
            "what": "host, state, stage, path, message or grid",
            "detail": "what else the record tells",
        },
    ),
}
