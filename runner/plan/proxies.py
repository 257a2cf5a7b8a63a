"""Proxies and judges that a spec names: models, files, keys and packages must be there, and no two share a name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from runner.data.named import named, place_of
from runner.data.packages import installed
from runner.errors import RunnerError
from runner.parts.judges._judge import PREFERRED, UNREADABLE
from runner.plan.faults import Faults, Where
from runner.spec.read import Spec

if TYPE_CHECKING:
    from runner.parts.judges._judge import Judge
    from runner.parts.proxies._proxy import Proxy


def of_task(task: Any) -> list[Proxy]:
    """The proxies of a task's texts, in the order written."""
    how = getattr(task, "generate", None)
    return cast("list[Proxy]", how.proxies) if how else []


def judges_of(task: Any) -> list[Judge]:
    """The judges of a task's texts, in the order written."""
    how = getattr(task, "generate", None)
    return cast("list[Judge]", how.judges) if how else []


def scores(task: Any) -> Iterator[str]:
    """The names of all scores that proxies and judges of a task give."""
    yield from (proxy.criterion for proxy in of_task(task))
    for judge in judges_of(task):
        yield from (f"{judge.name}_{name}" for name in (*judge.criteria, UNREADABLE))
        yield from [f"{judge.name}_{PREFERRED}"] * judge.pairwise


def proxies(spec: Spec, faults: Faults) -> None:
    """What is wrong with the proxies and judges of all tasks."""
    for name, task in spec.experiment.tasks.items():
        seen: set[str] = set()
        for at, proxy in enumerate(of_task(task)):
            where: Where = ("tasks", name, "generate", "proxies", at)
            if proxy.criterion in seen:
                message = f"two proxies are called `{proxy.criterion}`"
                faults.add("duplicate", where, message, "give one of them a `name`", "value")
            seen.add(proxy.criterion)
            missing(proxy, where, spec.folder, faults)
        for at, judge in enumerate(judges_of(task)):
            where = ("tasks", name, "generate", "judges", at)
            key = getattr(judge, "key", None)
            if key and not os.environ.get(key):
                message = f"the environment variable `{key}` is not set"
                faults.add("judge", (*where, "key"), message, f"`export {key}=...`; it is never stored", "value")
            if judge.name in [each.name for each in judges_of(task)[:at]]:
                faults.add("duplicate", where, f"two judges are called `{judge.name}`", "give one a `name`", "value")


def missing(proxy: Proxy, where: Where, folder: Path, faults: Faults) -> None:
    """Models, files and packages that a proxy lacks."""
    for field, written in named(proxy):
        try:
            place_of(proxy, field, written, folder)
        except RunnerError as error:
            faults.add("proxy", (*where, field), error.message, error.hint, "value")
    for package in proxy.packages:
        if installed(package) is None:
            message = f"`{proxy.kind}` needs the package `{package}`, which is not installed"
            faults.add("proxy", (*where, "type"), message, "`pip install 'runner[text]'`", "value")


def places(proxy: Proxy, folder: Path) -> dict[str, Path]:
    """Where what a proxy names lies, by field."""
    return {field: place_of(proxy, field, written, folder) for field, written in named(proxy)}


def reads(spec: Spec) -> Iterator[Path]:
    """All that the proxies of a spec name."""
    for task in spec.experiment.tasks.values():
        for proxy in of_task(task):
            yield from places(proxy, spec.folder).values()
