"""Verbs that judge what runs answered: by bounds, by mistakes, by people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from runner.usage import Argument, Option
from runner.verbs.given import NOTHING, RESULTS, Json, Results, Run, emit


def scorecard(
    what: Annotated[str, Argument("A run, a grid or experiment, whose best run counts, or a spec with its criteria.")],
    as_json: Json = False,
    results: Results = RESULTS,
) -> int:
    """Judge a run by the criteria of `[evaluate.require]`; exit code 1 unless all of them pass."""
    from runner.run.scorecard import facts, text

    found = facts(results, what)
    emit(found) if as_json else print(text(found))
    return 0 if found["verdict"] == "pass" else 1


def errors(
    run: Run,
    most: Annotated[int, Option("Of each kind of rows.")] = 20,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """What a run confuses, its worst losses, likely wrong labels, words that go with errors, and a card a class."""
    from runner.run.mistakes import facts, text

    found = facts(results, run, most)
    emit(found) if as_json else print(text(found))


def review(
    runs: Annotated[list[str], Argument("One run to rate, or several to compare side by side.")],
    reviewer: Annotated[str, Option("Your name; else that of your account.", environment="RUNNER_REVIEWER")] = "",
    task: Annotated[str, Option("Whose answers, where there are several tasks.")] = "",
    split: Annotated[str, Option("Of which split.")] = "test",
    criteria: Annotated[list[str], Option("What to judge by; again for more.", "--criterion")] = NOTHING,
    examples: Annotated[int, Option("How many examples at most.")] = 50,
    seed: Annotated[int, Option("Which examples: the same for all reviewers.")] = 0,
    summary: Annotated[bool, Option("Only tell what was said so far.", "--summary")] = False,
    export: Annotated[Path | None, Option("Write what was said of these runs as lines of JSON.")] = None,
    take: Annotated[Path | None, Option("Record the judgements of such a file first.", "--import")] = None,
    tty: Annotated[bool, Option("Ask in the terminal, not in the browser.")] = False,
    port: Annotated[int, Option("Where the page listens, on loopback only; 0 takes a free port.")] = 0,
    no_open: Annotated[bool, Option("Only print the page's address; open no browser.")] = False,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Judge answers without knowing which run wrote them; again goes on where you were."""
    from getpass import getuser

    from runner.run import ballots, reviewing
    from runner.run.asking import ask

    if take is not None:
        fresh, known = ballots.take(results, take)
        print(f"recorded {fresh} judgements, {known} were known", file=sys.stderr)
    elif export is not None:
        chosen = [reviewing.single(results, word) for word in runs]
        print(f"wrote {ballots.export(results, chosen, export)} judgements to {export}", file=sys.stderr)
    elif not summary and not as_json:
        name = reviewer or getuser()
        asked = reviewing.review(
            results, runs, name, task=task, split=split, criteria=criteria, seed=seed, most=examples
        )
        if tty:
            ask(asked, input, print)
        else:
            from runner.serve.ui import one, serve

            serve(one(asked), f"{len(asked.left())} cards", port, show=not no_open)
    found = reviewing.facts(results, runs)
    emit(found) if as_json else print(reviewing.text(found))
