"""Verbs that look after the database of results."""

from __future__ import annotations

from typing import Annotated

from runner.usage import Argument, Option
from runner.verbs.given import NOTHING, RESULTS, Json, Results, emit


def check(
    files: Annotated[bool, Option("Read the files of all models too, and compare their hashes.")] = False,
    as_json: Json = False,
    results: Results = RESULTS,
) -> int:
    """Compare the database with the logs, row by row, and models with what was recorded of them; change nothing."""
    from runner.run.caring import checked, facts
    from runner.store.check import check

    found = check(results, files=files)
    emit(facts(found)) if as_json else print(checked(found))
    return 1 if found.differences else 0


def rebuild(as_json: Json = False, results: Results = RESULTS) -> None:
    """Make the database anew from the logs of all runs."""
    from runner.store.ingest import rebuild as anew

    count = anew(results)
    if as_json:
        emit({"records": count})
    else:
        print(f"read {count:,} records")


def migrate(as_json: Json = False, results: Results = RESULTS) -> None:
    """Bring the database of an older runner up to date; every other verb does so too."""
    from runner.store.upgrade import upgrade

    before, now = upgrade(results)
    words = f"from migration {before} to {now}" if before < now else f"it was up to date, at migration {now}"
    emit({"before": before, "now": now}) if as_json else print(words)


def compact(as_json: Json = False, results: Results = RESULTS) -> None:
    """Write the database anew, without the room of rows that are gone."""
    from runner.run.caching import sized
    from runner.store.compact import compact

    before, after = compact(results)
    emit({"before": before, "after": after}) if as_json else print(f"{sized(before)} before, {sized(after)} now")


def prune(
    older_than: Annotated[str, Option("Runs that ended so long ago, such as 90d or 12h.")] = "",
    failed: Annotated[bool, Option("Runs that failed, were lost, interrupted or pruned.")] = False,
    grid: Annotated[str, Option("Only runs of this grid.")] = "",
    models_only: Annotated[bool, Option("Only their models and states; scores and answers stay.")] = False,
    best: Annotated[bool, Option("The best of each grid too.")] = False,
    dry_run: Annotated[bool, Option("Only say what would go.")] = False,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Remove runs, or only their models; never one that runs, and the best of a grid only if asked."""
    from runner.run.caring import prune, pruned

    wish = {"failed": failed, "best": best, "models": models_only, "dry_run": dry_run}
    found = prune(results, older_than, grid, **wish)
    emit(found) if as_json else print(pruned(found))


def export(
    target: Annotated[str, Argument("A folder or its URL; for mlflow the URI of its tracking server or database.")],
    format: Annotated[str, Option("What is written.", choices=("parquet", "csv", "tensorboard", "mlflow"))] = "parquet",
    grids: Annotated[list[str], Option("Only the runs of this grid; again for more.", "--grid")] = NOTHING,
    runs: Annotated[list[str], Option("Only this run, or a beginning of its name; again for more.", "--run")] = NOTHING,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Write runs for other programs: tables and logs as parquet, tables as csv, or what TensorBoard or MLflow show."""
    from runner.store.export import export, told

    found = export(results, target, format, grids, runs)
    emit(found) if as_json else print(told(found))


def take_in(
    folders: Annotated[list[str], Argument("Exports in parquet or folders of results, or URLs of such.")],
    as_json: Json = False,
    results: Results = RESULTS,
) -> int:
    """Bring in what was exported as parquet: its runs are here as they were there; again brings what is new since."""
    from runner.store.imports import bring
    from runner.store.merge import told

    merged = bring(results, folders)
    emit(merged.facts()) if as_json else print(told(merged))
    return 1 if merged.conflicts else 0


def merge(
    others: Annotated[list[str], Argument("Other folders of results, or URLs of such.")],
    no_models: Annotated[bool, Option("Leave models and states where they are.")] = False,
    as_json: Json = False,
    results: Results = RESULTS,
) -> int:
    """Bring the runs of other folders of results into this one; again brings what is new since."""
    from runner.store.merge import merge as bring
    from runner.store.merge import told

    merged = bring(results, others, models=not no_models)
    emit(merged.facts()) if as_json else print(told(merged))
    return 1 if merged.conflicts else 0
