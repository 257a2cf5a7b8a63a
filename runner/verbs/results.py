"""Verbs that ask what runs found: lists, comparisons, pages, SQL."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from runner.usage import Argument, Option
from runner.verbs.given import NOTHING, RESULTS, Grid, Json, Results, Run, Sets, Spec, emit


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
