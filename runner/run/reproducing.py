"""What `runner reproduce` does: carry out a run again from its record, elsewhere, and say which numbers are equal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

from runner.cache.cache import Cache
from runner.errors import RunnerError
from runner.plan.trials import Entry, Trials
from runner.run.aligned import aligned
from runner.run.environment import environment
from runner.run.experiment import prepared, run
from runner.run.pinned import drift, pins, shown, told
from runner.run.work import ORIGIN, folder_of
from runner.spec.read import relocate
from runner.store.environments import circumstances, differing, threads
from runner.store.equality import Compared, compared
from runner.store.log import NAME, Log
from runner.store.pins import pinned
from runner.store.query import query
from runner.store.show import unique

FOLDER = "reproductions"  # in the folder of results
SHOWN = 20  # differences that a text lists, of each kind
RECORD = """
    SELECT r.run, r.state, r.seed, r.trial_key, r.spec_file, s.resolved::VARCHAR AS resolved
    FROM runs r LEFT JOIN specs s ON s.run = r.run WHERE r.run = $run
"""


class Record(NamedTuple):
    """What is known of a run: its trial, the spec of that trial, and the folder its paths are relative to."""

    run: str
    seed: int
    key: str
    spec: Mapping[str, Any]
    folder: Path
    kept: bool | None


def reproduce(results: Path, word: str, *, show: bool = True) -> dict[str, Any]:
    """Carry out a finished run again, and say of each number whether it is equal; recorded in the log of the run.

    Raises RunnerError where files or weights are no longer what the run read, before anything is trained.
    """
    record = recorded(results, unique(results, word))
    place = room(results, record.run)
    try:
        trials = prepared(written(record, place, threads(results, record.run)), place, begun=record.kept)
        entry = same(trials, record, results, place)
    except BaseException:
        shutil.rmtree(place)
        raise
    run(entry.plan, entry.trial, place, show=show)
    found = verdict(record, results, place, entry.trial.run)
    remember(results, record.run, found)
    if found["equal"]:
        shutil.rmtree(place)
    return found | {"place": None if found["equal"] else str(place)}


def recorded(results: Path, name: str) -> Record:
    """The record of a run; RunnerError where it has not finished."""
    (row,) = query(results, RECORD, {"run": name}).to_pylist()
    if row["state"] != "finished" or not row["resolved"]:
        raise RunnerError(
            f"`{name}` is {row['state']}, so there is nothing whole to reproduce", f"finish it: `runner resume {name}`"
        )
    try:
        origin = json.loads((folder_of(results, name) / ORIGIN).read_bytes())
    except FileNotFoundError:
        origin = {"spec": row["spec_file"]}
    spec = json.loads(row["resolved"])
    return Record(name, row["seed"], row["trial_key"], spec, Path(origin["spec"]).absolute().parent, origin.get("kept"))


def room(results: Path, name: str) -> Path:
    """A new folder of results, so that nothing recorded is written over."""
    above = results.resolve() / FOLDER
    above.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        place = above / f"{name}-{number}"
        try:
            place.mkdir()
        except FileExistsError:
            continue
        return place
    raise AssertionError("numbers never end")


def written(record: Record, place: Path, threads: int | None) -> Path:
    """The spec of the trial as a file in that place, its paths rewritten; an earlier run that it begins with is there.

    It asks for the threads of the run, since sums that are split otherwise round otherwise.
    """
    tables = {name: each for name, each in record.spec.items() if name not in ("extends", "seeds", "grid", "search")}
    relocate(tables, record.folder, place)
    tables = given(tables | {"seed": record.seed})
    tables["execute"] = {"threads": threads} if threads else {}
    base = tables["model"]["base"]
    if isinstance(base, str) and base.startswith("run:"):
        linked(place, base.removeprefix("run:"))
    file = place / "spec.toml"
    file.write_text(tomli_w.dumps(tables), encoding="utf-8")
    return file


def linked(place: Path, run: str) -> None:
    """Show an earlier run, by the beginning of its name, to the results of this place."""
    (place / "runs").mkdir()
    for folder in (place.parents[1] / "runs").glob(f"{run}*"):
        (place / "runs" / folder.name).mkdir()
        (place / "runs" / folder.name / "model").symlink_to(folder / "model")


def given(value: Any) -> Any:
    """Without what nobody gave, for which TOML has no word."""
    if isinstance(value, dict):
        return {name: given(each) for name, each in value.items() if each is not None}
    return [given(each) for each in value] if isinstance(value, list) else value


def same(trials: Trials, record: Record, results: Path, place: Path) -> Entry:
    """The trial, which must be that of the record; RunnerError names what of data and model has drifted."""
    (entry,) = trials.entries
    if entry.trial.key == record.key:
        return entry
    was, now = pinned(results, record.run), pins(trials, Cache(place / "cache"))
    found = [each for each in drift(was, now) if each.kind != "packages"]
    why = f"\n{told(found)}" if found else ": this version of runner makes another trial of the same spec and files"
    raise RunnerError(
        f"`{record.run}` cannot be reproduced{why}", "bring back what it read, then ask again" if found else ""
    )


def verdict(record: Record, results: Path, place: Path, again: str) -> dict[str, Any]:
    """What came out equal, what did not, and what else is not as it was then."""
    kinds = compared((results, record.run), (place, again))
    was, now = circumstances(results, record.run), circumstances(place, again)
    return {
        "run": record.run,
        "equal": all(each.rows == each.equal for each in kinds.values()),
        "kinds": {kind: facts(each) for kind, each in kinds.items()},
        "environment": differing(was, now | commit(record.folder)),
    }


def commit(folder: Path) -> dict[str, str | None]:
    """The commit that the spec's own folder is at, for the spec that was carried out lies elsewhere."""
    now = environment(folder)
    return {name: None if now[name] is None else str(now[name]) for name in ("git_commit", "git_dirty")}


def facts(found: Compared) -> dict[str, Any]:
    """One kind as JSON values."""
    return {
        "rows": found.rows,
        "equal": found.equal,
        "differences": [each._asdict() for each in found.differences],
    }


def remember(results: Path, name: str, found: Mapping[str, Any]) -> None:
    """Write the verdict to the log of the run, where there still is one."""
    folder = folder_of(results, name)
    if not (folder / NAME).is_file():
        return
    log = Log(folder, name, 0)
    counts = {kind: {word: each[word] for word in ("rows", "equal")} for kind, each in found["kinds"].items()}
    log.write("reproduced", equal=found["equal"], kinds=counts, environment=found["environment"])
    log.close()


def text(found: Mapping[str, Any]) -> str:
    """The same for a person."""
    head = "every number is equal, bit by bit" if found["equal"] else "not every number is equal"
    counts = [(kind, str(each["rows"]), str(each["equal"])) for kind, each in found["kinds"].items()]
    lines = [f"{found['run']}: {head}", *aligned([("", "there are", "equal"), *counts], indent=2)]
    for kind, each in found["kinds"].items():
        lines += section(f"{kind} that differ", [line(one) for one in each["differences"]])
    lines += section("not as it was then", [line({**each, "column": ""}) for each in found["environment"]])
    if not found["equal"] and not found["environment"]:
        lines += ["", "machine, packages, threads and commit are as they were"]
    return "\n".join([*lines, *(["", f"kept in {found['place']}"] if found["place"] else [])])


def section(title: str, lines: list[str]) -> list[str]:
    """Lines below a title, as many as somebody reads; nothing where there are none."""
    more = [f"  and {len(lines) - SHOWN:,} more; `--json` lists all"] if len(lines) > SHOWN else []
    return ["", title, *lines[:SHOWN], *more] if lines else []


def line(each: Mapping[str, Any]) -> str:
    """One difference."""
    name = " ".join(word for word in (each["name"], each["column"]) if word)
    return f"  {name}: was {shown(each['was'])}, is {shown(each['now'])}"
