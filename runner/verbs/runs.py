"""Verbs that carry out runs, stop them and remove them."""

from __future__ import annotations

import sys
from typing import Annotated

from runner.usage import Option
from runner.verbs.given import NOTHING, RESULTS, Grid, Json, Results, Run, Sets, Specs, emit


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


def doctor(as_json: Json = False, results: Results = RESULTS) -> int:
    """Look at this machine and installation and say what to mend."""
    from runner.run.doctor import examine, text

    found = examine(results)
    if as_json:
        emit(found)
    else:
        print(text(found))
    return 0 if all(each["state"] != "bad" for each in found) else 1
