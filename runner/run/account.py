"""The account of a spec's data, for people and machines: what each step did to how many rows, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.cache.cache import Cache
from runner.data.counts import counted
from runner.data.load import SPLITS, Loaded
from runner.plan.check import Checked
from runner.plan.columns import columns
from runner.plan.weights import weights_over
from runner.profile.profiles import profiles
from runner.run import profiling

WIDTH = 76
ENDS = 5  # of the weights of more classes, at each end


def facts(checked: Checked, cache: Cache) -> dict[str, Any]:
    """What each step of preparation did to each data set, and the profile of what came out, as JSON values."""
    sets, used = checked.spec.experiment.data, columns(checked.spec)
    return {
        name: {
            "rows": loaded.rows,
            "labels": loaded.labels,
            "steps": loaded.account,
            "classes": classes(loaded),
            "weights": weights_over(checked, name),
            "profile": profiles(loaded, *used[name][:2], sets[name].groups, cache),
        }
        for name, loaded in checked.loaded.items()
    }


def classes(loaded: Loaded) -> list[dict[str, Any]]:
    """Rows of train by label after each stage that changes them, for each target."""
    return [
        {"stage": stage.stage, "labels": {name: each["train"] for name, each in counted(stage.entry)["labels"].items()}}
        for stage in loaded.stages
        if stage.stage != "clean" and stage.entry is not None
    ]


def text(found: dict[str, Any]) -> str:
    """The same as lines: a step a line, reasons and samples below it."""
    return "\n".join(line for name, each in found.items() for line in lines(name, each))


def lines(name: str, each: dict[str, Any]) -> list[str]:
    """The lines of one data set."""
    told = [
        f"data {name}: " + ", ".join(f"{each['rows'][split]:,} {split}" for split in SPLITS if split in each["rows"])
    ]
    for facts in each["steps"]:
        beside = facts["stage"] == "augment"  # each of these makes rows of those that were there before all of them
        counts = [f"{facts['rows']:,} in", *([] if beside else [f"{facts['kept']:,} kept"])]
        counts += [
            f"{facts[word]:,} {word}" for word in ("changed", "made") if facts[word] or (beside and word == "made")
        ]
        told.append(
            f"  {facts['stage']} {facts['split']} {facts['step']}: {', '.join(counts)}; {facts['seconds']:.2f} s"
        )
        for word in ("dropped", "flagged", "refused"):
            for reason, count in sorted(facts.get(word, {}).items(), key=lambda item: -item[1]):
                told.append(f"    {count:,} {word}: {reason}")
                told += samples(facts["samples"].get(reason, []))
        for word in ("changed", "made"):
            shown = samples(facts["samples"].get(word, []))
            told += [f"    {word}, such as", *shown] if shown else []
    if len(each["classes"]) > 1:
        known = [target for target in each["labels"] if all(stage["labels"][target] for stage in each["classes"])]
        told += [f"  rows of train a class of {target}: {course(each['classes'], target)}" for target in known]
    told += [f"  weights of classes in the loss of {task}: {weighty(found)}" for task, found in each["weights"].items()]
    return told + profiling.lines(each["profile"])


def course(stages: list[dict[str, Any]], target: str) -> str:
    """The smallest and the largest class, stage by stage."""
    counts = [(each["stage"], each["labels"][target].values()) for each in stages]
    return ", ".join(f"{min(rows):,} to {max(rows):,} after {stage}" for stage, rows in counts)


def weighty(weights: Mapping[str, float]) -> str:
    """The weights, the heaviest first; of many both ends."""
    told = [f"{label} {weight:.3g}" for label, weight in sorted(weights.items(), key=lambda item: -item[1])]
    if len(told) <= 2 * ENDS:
        return ", ".join(told)
    return f"{', '.join(told[:ENDS])}, ..., {', '.join(told[-ENDS:])} ({len(told)} classes, all by `--json`)"


def samples(rows: list[dict[str, str]]) -> list[str]:
    """A few rows, each in one line: its text before and, where it changed, after."""
    return [f"      {row['id']} {short(row['before'])}{after(row)}" for row in rows if row["before"]]


def after(row: dict[str, str]) -> str:
    """What the text became, or the row that it repeats; nothing where that is itself, in another split."""
    return "" if row["after"] in ("", row["id"]) else f" → {short(row['after'])}"


def short(text: str) -> str:
    """A text in quotes, cut to one line."""
    return repr(text if len(text) <= WIDTH else text[: WIDTH - 1] + "…")
