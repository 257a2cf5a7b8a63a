"""Overview: all trials of a grid at a glance: which are done, what they share, how long the rest takes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from runner.plan.compile import Plan
from runner.plan.estimate import seconds, tokens
from runner.plan.joint import MOST, sharing
from runner.plan.trials import Trials

SHOWN = 200  # trials that people see


def facts(trials: Trials, finished: Mapping[str, str], speeds: Mapping[str, float | None]) -> dict[str, Any]:
    """JSON-compatible values; `finished` names the runs that did a trial, `speeds` tokens per second by run."""
    workers = trials.spec.experiment.execute.workers
    times = {id(plan): time(plan, speeds) for plan in trials.plans}
    listed: list[dict[str, Any]] = [
        {
            "run": entry.trial.run,
            "seed": entry.trial.seed,
            "key": entry.trial.key,
            "point": dict(entry.point),
            "finished": finished.get(entry.trial.run),
            "seconds": times[id(entry.plan)],
            "stages": {step.name: step.key for step in entry.trial.steps if step.name.split(" ")[0] != "train"},
        }
        for entry in trials.entries
    ]
    left = [each["seconds"] for each in listed if each["finished"] is None]
    known = [each for each in left if each is not None]
    return {
        "name": trials.name,
        "key": trials.key,
        "axes": list(trials.axes),
        "repeated": trials.repeated,
        "finished": len(finished),
        "workers": workers,
        "seconds": sum(known) / workers if left and len(known) == len(left) else None,
        "shared": shared(trials),
        "together": together(trials),
        "warnings": [each.message for each in trials.warnings],
        "trials": listed,
    }


def time(plan: Plan, speeds: Mapping[str, float | None]) -> float | None:
    """Estimated seconds of one run of a plan."""
    speed = speeds.get(plan.trials[0].run)
    return None if speed is None else seconds(plan, tokens(plan), speed)


def shared(trials: Trials) -> list[dict[str, Any]]:
    """Stages before training, by what they read: how many trials stand on each, and whether it is there already."""
    count: Counter[tuple[str, str, bool]] = Counter()
    for entry in trials.entries:
        for step in entry.trial.steps:
            if step.name.split(" ")[0] not in ("train", "evaluate", "generate", "export"):
                count[step.name, step.key, step.cached] += 1
    return [{"stage": name, "key": key, "cached": cached, "trials": n} for (name, key, cached), n in count.items()]


def together(trials: Trials) -> list[dict[str, Any]]:
    """Which trials go through their base together or alone, and why; nothing where no spec asks for it."""
    if all(plan.checked.spec.experiment.execute.share != "adapters" for plan in trials.plans):
        return []
    plans = {id(plan): sharing(plan) for plan in trials.plans}
    count = Counter(plans[id(entry.plan)] for entry in trials.entries)
    return [{"trials": n, "share": bool(each.key), "why": each.why} for each, n in count.items()]


def text(found: dict[str, Any]) -> str:
    """The same for people."""
    repeated = f", {found['repeated']} repeated" if found["repeated"] else ""
    lines = [f"{found['name']}  {len(found['trials'])} trials{repeated}, {found['finished']} finished before"]
    for each in found["shared"]:
        made = "is there" if each["cached"] else "is made once"
        lines.append(f"├─ {each['stage']}: {made}, for {each['trials']} trials")
    for each in found["together"]:
        how = f"go through their base by up to {MOST}" if each["share"] else "go through their base alone"
        lines.append(f"├─ adapters: {each['trials']} trials {how}: {each['why']}")
    lines.append(f"├─ time: {told(found)}")
    lines += [f"├─ warning: {warning}" for warning in found["warnings"]]
    for each in found["trials"][:SHOWN]:
        point = "  ".join(f"{name.rpartition('.')[2]}={json.dumps(value)}" for name, value in each["point"].items())
        done = f"  finished as {each['finished']}" if each["finished"] else ""
        lines.append(f"└─ {each['run']}  {point}{done}")
    more = len(found["trials"]) - SHOWN
    return "\n".join([*lines, f"   and {more} more"] if more > 0 else lines)


def told(found: dict[str, Any]) -> str:
    """How long the rest takes, in words."""
    if found["finished"] == len(found["trials"]):
        return "nothing is left to do"
    if found["seconds"] is None:
        return "unknown until a run has been measured"
    return f"about {found['seconds']:.0f} s with {found['workers']} at a time"
