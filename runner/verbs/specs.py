"""Verbs about specs: what is written, what would happen, what is pinned."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from runner.usage import Argument, Option
from runner.verbs.given import NOTHING, RESULTS, Json, Results, Sets, Spec, Specs, emit


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
