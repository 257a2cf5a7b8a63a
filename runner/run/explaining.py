"""`runner cache explain`: for a spec, which entries it needs and has; for one entry, what it is and who needs it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache
from runner.cache.changes import shown
from runner.cache.entries import Contents, Entry, in_use, words
from runner.cache.explain import flat
from runner.data.files import neighbours
from runner.data.foresee import Foreseen, foresee, foresee_tokens
from runner.errors import RunnerError
from runner.plan.base import Base, find
from runner.plan.columns import columns
from runner.plan.recipes import recipe
from runner.run.caching import facts_of, sized
from runner.spec.read import Spec, read
from runner.spec.tables import Fresh


def facts(what: str, folder: Path) -> dict[str, Any]:
    """About a spec, or about the entry STAGE/KEY, as JSON-compatible values; nothing is built."""
    place = Path(what)
    if place.is_file():
        return {"spec": what, "data": of_spec(read(place), Cache(folder))}
    contents = Contents(folder)
    if meant_as_file(place, {each.stage for each in contents.entries}):
        raise RunnerError(f"no such file `{what}`", neighbours(place.absolute()))
    return of_entry(contents.matching(what), contents)


def meant_as_file(place: Path, stages: Collection[str]) -> bool:
    """Whether a spec was meant by what is no file, rather than an entry: neither stages nor keys have dots."""
    above = place.parent
    elsewhere = above != Path() and str(above) not in stages and above.is_dir()
    return bool(place.suffix) or elsewhere or (bool(place.name) and place.with_suffix(".toml").is_file())


def of_spec(spec: Spec, cache: Cache) -> dict[str, list[dict[str, str]]]:
    """The stages of each data set; tokens by a tokenizer that is yet to be learned are not foreseen."""
    model = spec.experiment.model
    base = None if isinstance(model.base, Fresh) else find(model, spec.folder, cache)
    tokenizer = None if base is None else base.tokenizer_file
    found = {}
    for name, (inputs, targets, _, classes) in columns(spec).items():
        stages = list(foresee(spec.experiment.data[name], spec.folder, inputs, targets, classes, cache, tokenizer))
        if base is not None:
            stages += of_tokens(spec, name, base, stages, cache)
        found[name] = [told(each) for each in stages]
    return found


def of_tokens(spec: Spec, data: str, base: Base, before: list[Foreseen], cache: Cache) -> list[Foreseen]:
    """The tokens of a data set, a stage for each form that tasks give its rows."""
    experiment, found = spec.experiment, list[Foreseen]()
    readers = {task: part.form for task, part in experiment.tasks.items() if data in part.data}
    for form in dict.fromkeys(readers.values()):
        together = [task for task, own in readers.items() if own == form]
        found += foresee_tokens(before, recipe(base, experiment.tasks, experiment.model, together), cache)
    return found


def told(each: Foreseen) -> dict[str, str]:
    """A stage as JSON-compatible values."""
    state = each.says.split(":")[0] if each.key else "unknown"
    return {
        "stage": each.stage,
        "split": each.split,
        "key": each.key,
        "file": each.of,
        "state": state,
        "why": each.says,
    }


def of_entry(entry: Entry, contents: Contents) -> dict[str, Any]:
    """One entry, what it was made from and what was made from it."""
    return {
        **facts_of(entry, contents),
        "in_use": bool(in_use(contents.folder, [entry])),
        "why": entry.about.get("why", ""),
        "inputs": entry.about.get("inputs", {}),
        "made_from": [named(each, contents) for each in contents.parents(entry)],
        "needed_by": [named(each, contents) for each in contents.children(entry)],
    }


def named(entry: Entry, contents: Contents) -> dict[str, str]:
    """Another entry, in short."""
    return {"stage": entry.stage, "key": entry.key, "from": words(entry, contents)}


def text(found: dict[str, Any]) -> str:
    """The same for people."""
    if "data" in found:
        lines = []
        for name, stages in found["data"].items():
            lines.append(f"data {name}")
            lines += [f"  {each['stage']:<8}{each['split']:<11}{each['key'][:8]:<9}{each['why']}" for each in stages]
        return "\n".join(lines)
    rows = "" if found["rows"] is None else f", {found['rows']:,} rows"
    lines = [f"{found['stage']}/{found['key']}", f"  from {found['from']}{rows}, {sized(found['bytes'])}"]
    lines.append(f"  built {found['created']}, last used {found['used']}{', in use' * found['in_use']}")
    lines += [f"  why: {found['why']}"] if found["why"] else []
    lines += [f"  {name} = {shown(value)}" for name, value in flat(found["inputs"])]
    for word, name in (("made from", "made_from"), ("needed by", "needed_by")):
        lines += [f"  {word} {each['stage']}/{each['key'][:8]}: {each['from']}" for each in found[name]]
    return "\n".join(lines)
