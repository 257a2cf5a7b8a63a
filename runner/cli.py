"""The verbs: parse, hand over, print."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

from runner.usage import Argument, Group, Option, Verb, called

ABOUT = "Fine-tune language models from TOML specs; query every result with SQL."

Spec = Annotated[Path, Argument("The spec, a TOML file.")]
Specs = Annotated[list[Path], Argument("Specs, TOML files.")]
Sets = Annotated[list[str], Option("Set a field for all trials, such as train.epochs=1; again for more.", "--set")]
Run = Annotated[str, Argument("The run, or a unique beginning of its name.")]
Results = Annotated[Path, Option("Folder of runs, cache and database.", environment="RUNNER_RESULTS")]
Json = Annotated[bool, Option("Print JSON.", "--json")]
Grid = Annotated[str, Argument("The grid: the name of its spec.")]
RESULTS = Path("results")
NOTHING: list[str] = []


def emit(value: Any) -> None:
    """Print JSON for machines."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def init(
    data: Annotated[Path, Argument("A file of rows: csv, tsv, jsonl, parquet.")],
    spec: Annotated[Path, Option("Where the new spec goes.")] = Path("specs/first.toml"),
    text: Annotated[str, Option("Column of the text.")] = "",
    target: Annotated[str, Option("Column of the label.")] = "",
) -> None:
    """Write a spec for a data file, to start from."""
    from runner.run.starter import write

    write(data, spec, text, target)
    print(f"wrote {spec}; next: runner validate {spec} && runner plan {spec} && runner run {spec}")


def validate(
    specs: Specs,
    as_json: Json = False,
    format: Annotated[str, Option("How faults are printed.", choices=("text", "json", "sarif", "github"))] = "text",
    results: Results = RESULTS,
) -> int:
    """Check specs against the language, their data and their model; train nothing."""
    from runner.run.validate import validated
    from runner.spec.render import render

    faults, failed = validated(specs, results / "cache")
    chosen = "json" if as_json else format
    if faults or chosen in ("json", "sarif"):
        print(render(faults, chosen))
    if chosen == "text":
        print(
            f"{len(specs) - failed} of {len(specs)} specs are valid"
            if failed or len(specs) > 1
            else f"{specs[0]} is valid"
        )
    return 1 if failed else 0


def schema() -> None:
    """Print the JSON schema of specs."""
    from runner.spec.schema import text

    print(text(), end="")


def plan(
    spec: Spec,
    sets: Sets = NOTHING,
    as_json: Json = False,
    resolved: Annotated[bool, Option("Print the spec with every default.")] = False,
    tune: Annotated[bool, Option("Try rates and sizes of batches for a minute; nothing of it is kept.")] = False,
    results: Results = RESULTS,
) -> None:
    """Print the very steps that `run` carries out, with rows, tokens, memory and time."""
    from runner.plan import overview
    from runner.plan.explain import facts, tree
    from runner.run.experiment import prepared
    from runner.run.throughput import tokens_per_second
    from runner.run.work import done as finished
    from runner.spec.sets import parsed

    trials = prepared(spec, results, complete=False, sets=parsed(sets))
    if resolved:
        specs = [plan.checked.spec.experiment.written() for plan in trials.plans]
        emit(specs if trials.spec.variants else specs[0])
        return
    done = {run: folder.name for run, folder in finished(results, (each.trial for each in trials.entries)).items()}
    made = trials.plans[0]
    if trials.spec.variants and not tune:
        speeds = {plan.trials[0].run: tokens_per_second(results, plan) for plan in trials.plans}
        found = overview.facts(trials, done, speeds)
        emit(found) if as_json else print(overview.text(found))
        return
    found = facts(made, done, tokens_per_second(results, made))
    if tune:
        from runner.run.tuning import text, tuned

        found["tuned"] = tuned(made, results)
    if as_json:
        emit(found)
    else:
        if tune:
            print(text(found["tuned"]))
            return
        print(tree(found, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))


def data(
    spec: Spec,
    as_json: Json = False,
    html: Annotated[Path | None, Option("Write a page with samples and plots too.")] = None,
    results: Results = RESULTS,
) -> None:
    """Prepare the data of a spec, say what each step did to how many rows, and profile each split; train nothing."""
    from runner.cache.cache import Cache
    from runner.run.account import facts, text
    from runner.run.experiment import prepare

    checked = prepare(spec, results).checked
    for fault in checked.warnings:
        print(f"warning: {fault.message}", file=sys.stderr)
    found = facts(checked, Cache(results / "cache"))
    if html is not None:
        from runner.report.page import write

        write(html, checked.spec.experiment.name, found)
        print(f"wrote {html}", file=sys.stderr)
    if as_json:
        emit(found)
    else:
        print(text(found))


def run(
    specs: Specs,
    sets: Sets = NOTHING,
    locked: Annotated[bool, Option("Refuse to train where anything is not as `runner lock` pinned it.")] = False,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Train, evaluate and record every run of specs and of their grids that is not finished yet."""
    from runner.run.experiment import prepared
    from runner.run.grid import carry_out, together
    from runner.run.summary import board, summary
    from runner.spec.sets import parsed

    found, given = [], parsed(sets)
    if locked:
        from runner.run.locking import held

        for spec in specs:
            held(spec, results, given)
    for trials in [prepared(spec, results, sets=given) for spec in specs]:
        for fault in trials.warnings:
            print(f"warning: {fault.message}", file=sys.stderr)
        told = None if as_json or together(trials) else lambda result: print(summary(result, results))
        found += carry_out(trials, results, given, told)
        if together(trials) and not as_json:
            print(board(trials.name, results))
    if as_json:
        emit(found)


def resume(
    run: Run,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Go on with a run that was interrupted or killed; it ends with the same bits."""
    from runner.run.experiment import resume as go_on
    from runner.run.summary import summary

    found = go_on(results, run)
    if as_json:
        emit(found)
    else:
        print(summary(found, results))


def ls(
    grid: Annotated[str, Option("Only the trials of this grid.")] = "",
    watch: Annotated[bool, Option("Again every two seconds, until Ctrl-C or nothing runs.")] = False,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """List all runs with their state and scores."""
    from runner.store.show import watched

    watched(results, grid, "json" if as_json else "table", watch)


def leaderboard(grid: Grid, as_json: Json = False, results: Results = RESULTS) -> None:
    """The points of a grid, the best on validation first, with the mean and deviation over seeds."""
    from runner.store.grids import leaderboard as found
    from runner.store.show import printed

    emit(found(results, grid)) if as_json else print(printed(found(results, grid)), end="")


def compare(
    a: Annotated[str, Argument("A run, or a grid, experiment or spec; after a colon fields: NAME:train.epochs=3.")],
    b: Annotated[str, Argument("What it is compared with, likewise.")],
    confidence: Annotated[float, Option("Of the intervals.")] = 0.95,
    resamples: Annotated[int, Option("Samples for intervals and tests.")] = 2000,
    difference: Annotated[float | None, Option("Say how many examples would show this much, such as 0.01.")] = None,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """In what two runs or experiments differ, what that did to each score, and how sure that is."""
    from runner.run.comparing import facts, text

    found = facts(results, a, b, confidence, resamples, difference)
    emit(found) if as_json else print(text(found))


def diff(
    spec: Spec,
    run: Run,
    sets: Sets = NOTHING,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """What a spec says now against what a run recorded, and whether `run` would train anew."""
    from runner.run.diffing import facts, text
    from runner.spec.sets import parsed

    found = facts(results, spec, run, parsed(sets))
    emit(found) if as_json else print(text(found))


def lock(specs: Specs, sets: Sets = NOTHING, as_json: Json = False, results: Results = RESULTS) -> None:
    """Pin what specs stand on (data, model, packages) in a file beside each; `run --locked` refuses what drifted."""
    from runner.run.locking import lock as write
    from runner.run.pinned import told
    from runner.spec.sets import parsed

    for spec in specs:
        file, changed = write(spec, results, parsed(sets))
        if as_json:
            emit({"lock": str(file), "changed": [each._asdict() for each in changed]})
        else:
            print("\n".join([f"locked {spec} by {file}", *([told(changed)] if changed else [])]))


def reproduce(run: Run, as_json: Json = False, results: Results = RESULTS) -> int:
    """Carry out a finished run again from its record, and say whether each number is bit-equal; else exit code 1."""
    from runner.run.reproducing import reproduce as carried_out
    from runner.run.reproducing import text

    found = carried_out(results, run)
    emit(found) if as_json else print(text(found))
    return 0 if found["equal"] else 1


def cancel(grid: Grid, results: Results = RESULTS) -> None:
    """Stop a grid that runs: its trials save their state and leave, the others never begin."""
    from runner.run.cancel import cancel as stop

    print(stop(results, grid))


def delete(
    grid: Grid,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Remove a grid and those of its runs that no other grid has, with their models and rows."""
    from runner.store.grids import delete as gone

    found = gone(results, grid)
    emit(found) if as_json else print(f"removed {len(found)} runs")


def show(
    run: Run,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Everything recorded about one run."""
    from runner.store.show import render_show
    from runner.store.show import show as found

    what = found(results, run)
    if as_json:
        emit(what)
    else:
        print(render_show(what), end="")


def query(
    sql: Annotated[str, Argument("SQL; `-` or nothing reads stdin.")] = "-",
    file: Annotated[Path | None, Option("A file with the SQL.")] = None,
    param: Annotated[list[str], Option("A value for `$name` in the SQL, such as n=3; again for more.")] = NOTHING,
    as_json: Json = False,
    format: Annotated[
        str, Option("How rows are printed.", choices=("table", "markdown", "csv", "json", "jsonl"))
    ] = "table",
    output: Annotated[Path | None, Option("Write to this parquet, csv, json, jsonl or md file instead.")] = None,
    history: Annotated[bool, Option("List what was asked, with numbers.")] = False,
    again: Annotated[int | None, Option("Ask once more what has this number in the history.")] = None,
    timeout: Annotated[float | None, Option("Seconds after which it is given up.")] = None,
    external: Annotated[bool, Option("Let SQL read files and URLs, not only the store.")] = False,
    results: Results = RESULTS,
) -> None:
    """Ask the database of results; read-only, also while runs go on."""
    from runner.store import history as asked
    from runner.store.parameters import parsed
    from runner.store.query import Limits, render

    params, limits = parsed(param), Limits(external, timeout)
    if history:
        table = asked.listed(results)
    else:
        text = sys.stdin.read() if sql == "-" and file is None and again is None else sql
        if file is not None:
            text = file.read_text(encoding="utf-8")
        elif again is not None:
            known = asked.again(results, again)
            text, params = known.sql, known.params | params
        if output is None and not as_json and format == "table":
            print(asked.drawn(results, text, params, limits), end="")
            return
        table = asked.answered(results, text, params, limits)
    if output is not None:
        from runner.store.exchange import write

        write(table, output)
    else:
        print(render(table, "json" if as_json else format), end="")


def report(
    names: Annotated[
        list[str], Argument("Grids and runs, or beginnings of runs' names; the whole store without any.")
    ] = NOTHING,
    html: Annotated[Path | None, Option("Where the page goes; else report.html beside the runs.")] = None,
    as_json: Json = False,
    results: Results = RESULTS,
) -> None:
    """Write a page about grids and runs: scores, curves, what was confused, what was written, what failed."""
    from runner.run.reporting import facts

    found = facts(results, names)
    if html is not None or not as_json:
        from runner.report.results import write

        path = html or results / "report.html"
        write(path, found)
        print(f"wrote {path}", file=sys.stderr if as_json else sys.stdout)
    if as_json:
        emit(found)


def ui(
    port: Annotated[int, Option("Where it listens, on loopback only; 0 takes a free port.")] = 0,
    no_open: Annotated[bool, Option("Only print the address; open no browser.")] = False,
    results: Results = RESULTS,
) -> None:
    """Show the store as live pages in the browser: grids, runs, comparisons and SQL, until Ctrl-C."""
    from runner.serve.ui import serve, store

    serve(store(results), str(results), port, show=not no_open)


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


def doctor(as_json: Json = False, results: Results = RESULTS) -> int:
    """Look at this machine and installation and say what to mend."""
    from runner.run.doctor import examine, text

    found = examine(results)
    if as_json:
        emit(found)
    else:
        print(text(found))
    return 0 if all(each["state"] != "bad" for each in found) else 1


def rebuild(as_json: Json = False, results: Results = RESULTS) -> None:
    """Make the database anew from the logs of all runs."""
    from runner.store.ingest import rebuild as anew

    count = anew(results)
    if as_json:
        emit({"records": count})
    else:
        print(f"read {count:,} records")


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


def store_export(
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


def store_import(
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


def store_check(
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


def store_compact(as_json: Json = False, results: Results = RESULTS) -> None:
    """Write the database anew, without the room of rows that are gone."""
    from runner.run.caching import sized
    from runner.store.compact import compact

    before, after = compact(results)
    emit({"before": before, "after": after}) if as_json else print(f"{sized(before)} before, {sized(after)} now")


def store_migrate(as_json: Json = False, results: Results = RESULTS) -> None:
    """Bring the database of an older runner up to date; every other verb does so too."""
    from runner.store.upgrade import upgrade

    before, now = upgrade(results)
    words = f"from migration {before} to {now}" if before < now else f"it was up to date, at migration {now}"
    emit({"before": before, "now": now}) if as_json else print(words)


def store_prune(
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


def cache_ls(as_json: Json = False, results: Results = RESULTS) -> None:
    """List what is prepared: from which files, how large, when last used, whether in use."""
    from runner.run.caching import facts, text

    found = facts(results / "cache")
    if as_json:
        emit(found)
    else:
        print(text(found))


def cache_explain(
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


def cache_gc(
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


VERBS: dict[str, Verb | Group] = {
    "init": init,
    "validate": validate,
    "schema": schema,
    "plan": plan,
    "data": data,
    "run": run,
    "resume": resume,
    "ls": ls,
    "leaderboard": leaderboard,
    "compare": compare,
    "diff": diff,
    "lock": lock,
    "reproduce": reproduce,
    "cancel": cancel,
    "delete": delete,
    "show": show,
    "query": query,
    "report": report,
    "ui": ui,
    "review": review,
    "scorecard": scorecard,
    "errors": errors,
    "doctor": doctor,
    "store": Group(
        "Look after the database of results.",
        {
            "check": store_check,
            "rebuild": rebuild,
            "migrate": store_migrate,
            "compact": store_compact,
            "prune": store_prune,
            "export": store_export,
            "import": store_import,
            "merge": merge,
        },
    ),
    "cache": Group("Look after prepared data.", {"ls": cache_ls, "explain": cache_explain, "gc": cache_gc}),
}


def call(words: list[str]) -> int:
    """Carry out what the words ask; the exit code."""
    return called(words, VERBS, ABOUT)() or 0
