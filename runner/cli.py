"""The verbs by their words: parse and hand over."""

from __future__ import annotations

from runner.usage import Group, Verb, called
from runner.verbs import cache, judgement, results, runs, specs, store

ABOUT = "Fine-tune language models from TOML specs; query every result with SQL."

VERBS: dict[str, Verb | Group] = {
    "init": specs.init,
    "validate": specs.validate,
    "schema": specs.schema,
    "plan": specs.plan,
    "data": specs.data,
    "run": runs.run,
    "resume": runs.resume,
    "ls": results.ls,
    "leaderboard": results.leaderboard,
    "compare": results.compare,
    "diff": results.diff,
    "lock": specs.lock,
    "reproduce": runs.reproduce,
    "cancel": runs.cancel,
    "delete": runs.delete,
    "show": results.show,
    "query": results.query,
    "report": results.report,
    "ui": results.ui,
    "review": judgement.review,
    "scorecard": judgement.scorecard,
    "errors": judgement.errors,
    "doctor": runs.doctor,
    "store": Group(
        "Look after the database of results.",
        {
            "check": store.check,
            "rebuild": store.rebuild,
            "migrate": store.migrate,
            "compact": store.compact,
            "prune": store.prune,
            "export": store.export,
            "import": store.take_in,
            "merge": store.merge,
        },
    ),
    "cache": Group("Look after prepared data.", {"ls": cache.ls, "explain": cache.explain, "gc": cache.gc}),
}


def call(words: list[str]) -> int:
    """Carry out what the words ask; the exit code."""
    return called(words, VERBS, ABOUT)() or 0
