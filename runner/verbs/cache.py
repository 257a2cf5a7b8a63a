"""Verbs that look after prepared data."""

from __future__ import annotations

from typing import Annotated

from runner.usage import Argument, Option
from runner.verbs.given import RESULTS, Json, Results, emit


def ls(as_json: Json = False, results: Results = RESULTS) -> None:
    """List what is prepared: from which files, how large, when last used, whether in use."""
    from runner.run.caching import facts, text

    found = facts(results / "cache")
    if as_json:
        emit(found)
    else:
        print(text(found))


def explain(
    what: Annotated[str, Argument("A spec, or STAGE/KEY as `ls` shows it.")],
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Say which entries a spec has and lacks and why, or what one entry was made from; build nothing."""
    from runner.run.explaining import facts, text

    found = facts(what, results / "cache")
    if as_json:
        emit(found)
    else:
        print(text(found))


def gc(
    max_size: Annotated[str, Option("Keep at most this, such as 5GB: the least recently used go.")] = "",
    older_than: Annotated[str, Option("Remove what was not used for so long, such as 30d or 12h.")] = "",
    dry_run: Annotated[bool, Option("Only say what would go.")] = False,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Remove what is damaged or left over, and what the limits ask for; never what a running process uses."""
    from runner.run.caching import collected, facts_gc, gc

    done = gc(results / "cache", max_size, older_than, dry_run=dry_run)
    if as_json:
        emit(facts_gc(done, dry_run=dry_run))
    else:
        print(collected(done, dry_run=dry_run))
