"""Plan -> text or JSON: what will be done, from what, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.data.load import SPLITS
from runner.plan.check import Checked
from runner.plan.compile import Plan, Step
from runner.plan.estimate import memory, parameters, seconds, tokens
from runner.plan.masks import hidden, line, segments, windows
from runner.plan.streams import recipe_of
from runner.plan.weights import weights
from runner.spec.search import Search


def facts(
    plan: Plan, finished: Mapping[str, str] | None = None, tokens_per_second: float | None = None
) -> dict[str, Any]:
    """Everything the plan knows, as JSON-compatible values; `finished` names the runs that did a trial before."""
    done = finished or {}
    checked = plan.checked
    found = tokens(plan)
    limit = checked.spec.experiment.model.max_length
    longest = max((min(each.max, limit) for each in found.values()), default=0)
    count = parameters(checked)
    return {
        "name": checked.spec.experiment.name,
        "key": plan.key,
        "model": {"base": checked.base.written, "parameters": count.total, "trainable": count.trainable},
        "data": {name: dict(each.rows) for name, each in checked.loaded.items()},
        "tasks": {
            name: {
                "answers": checked.spec.experiment.tasks[name].heading(checked.labels[name]),
                "labels": list(checked.labels[name]),
                "shown": list(checked.shown[name]),
                "rows": checked.counts[name],
                "weights": weights(checked, name),
            }
            for name in checked.labels
        },
        "tokens": {name: {**vars(each), "overlap": overlap(plan, name)} for name, each in found.items()},
        "memory_bytes": memory(checked, longest),
        "seconds": seconds(plan, found, tokens_per_second),
        "preview": {name: preview(plan, name) for name in plan.streams},
        "search": said(checked.spec.experiment.search),
        "activations": {"kept": plan.kept.frozen is not None, "why": plan.kept.why},
        "warnings": [each.message for each in checked.warnings],
        "trials": [
            {
                "run": trial.run,
                "seed": trial.seed,
                "key": trial.key,
                "finished": done.get(trial.run),
                "steps": [shown(step, done.get(trial.run)) for step in trial.steps],
            }
            for trial in plan.trials
        ],
    }


def said(search: Search | None) -> dict[str, Any] | None:
    """What a search will ask for."""
    if search is None:
        return None
    told = {"trials": search.trials, "sampler": search.sampler, "objectives": search.objectives}
    return told | {"pruner": search.pruner and search.pruner.type, "space": list(search.space)}


def overlap(plan: Plan, stream: str) -> int | None:
    """Tokens that two sequences of one row of a stream share; None where long texts are cut."""
    form = recipe_of(plan.checked, plan.streams[stream][2]).form
    return 1 if form.kind == "blocks" else form.stride


def shown(step: Step, finished: str | None) -> dict[str, Any]:
    """A step as JSON; all steps of a finished trial are done."""
    given = {**vars(step), "inputs": list(step.inputs), "detail": dict(step.detail)}
    return {**given, "cached": True, "reason": f"done by {finished}"} if finished else given


def preview(plan: Plan, stream: str) -> list[dict[str, Any]]:
    """The first three training rows as the tasks will see them."""
    data, inputs, tasks = plan.streams[stream]
    checked = plan.checked
    experiment = checked.spec.experiment
    loaded = checked.loaded[data]
    speaking = [task for task in tasks if experiment.tasks[task].speaks]
    targets = {task: experiment.tasks[task].target for task in tasks if task not in speaking}
    rows = loaded.splits["train"].slice(0, 3).to_pylist()
    if speaking:
        read = masked(checked, loaded, speaking[0], [trial.seed for trial in plan.trials])
        return [
            {"tokens": tokens, "targets": {task: row[column] for task, column in targets.items()}}
            for row, tokens in zip(rows, read, strict=True)
        ]
    return [
        {
            "text": " | ".join(row[column] for column in inputs),
            "targets": {task: row[column] for task, column in targets.items()},
        }
        for row in rows
    ]


def masked(checked: Checked, loaded: Any, task: str, seeds: Sequence[int]) -> list[list[list[tuple[str, bool]]]]:
    """Of the first rows each sequence in pieces that count in the loss or don't; what is hidden is that of epoch 1."""
    experiment, base = checked.spec.experiment, checked.base
    part: Any = experiment.tasks[task]
    rows = windows(experiment, base, loaded, [task], 3)
    if part.speaks == "masked":
        texts = loaded.splits["train"].slice(0, 3)[part.target].to_pylist()
        rows = hidden(part, base, rows, texts, seeds[0])
    return [[segments(each, base) for each in row] for row in rows]


def searching(found: dict[str, Any]) -> str:
    """A search in one line."""
    pruned = f", pruned by {found['pruner']}" if found["pruner"] else ""
    what = " and ".join(found["objectives"])
    return f"search by {found['sampler']}: {found['trials']} trials for {what} over {', '.join(found['space'])}{pruned}"


def tree(found: dict[str, Any], colour: bool = False) -> str:
    """The same as an indented tree for people; tokens that count are green, or stand between brackets."""
    lines = [f"{found['name']}  plan {found['key'][:12]}"]
    model = found["model"]
    share = 100 * model["trainable"] / model["parameters"]
    lines.append(
        f"├─ model {model['base']}: {model['parameters']:,} parameters, "
        f"{model['trainable']:,} trainable ({share:.1f} %)"
    )
    for name, rows in found["data"].items():
        lines.append(f"├─ data {name}: " + ", ".join(f"{rows[split]:,} {split}" for split in SPLITS if split in rows))
    for name, each in found["tokens"].items():
        lines.append(
            f"├─ tokens {name}: median {each['p50']:.0f}, p95 {each['p95']:.0f}, longest {each['max']}, "
            f"{100 * each['truncated']:.1f} % {'cut' if each['overlap'] is None else 'in several sequences'} "
            f"(of {each['rows']:,} sampled rows)"
        )
    for name, task in found["tasks"].items():
        lines.append(f"├─ task {name}: {task['answers']}")
        lines += [f"│    {line}" for line in table(task)]
    for name, rows in found["preview"].items():
        marked = "" if not rows or "tokens" not in rows[0] else f", what counts {'green' if colour else '⟦so⟧'}"
        lines += [f"├─ rows of {name}{marked}:"] + [f"│    {each}" for row in rows for each in told(row, colour)]
    parts = ", ".join(f"{name} {size / 2**20:,.0f}" for name, size in found["memory_bytes"].items())
    lines.append(f"├─ memory (MiB): {parts}; together {sum(found['memory_bytes'].values()) / 2**20:,.0f}")
    time = (
        "unknown until a run has been measured" if found["seconds"] is None else f"about {found['seconds']:.0f} s a run"
    )
    lines.append(f"├─ time: {time}")
    if found["search"]:
        lines.append(f"├─ {searching(found['search'])}")
    if found["activations"]["why"]:
        kept = "kept" if found["activations"]["kept"] else "not kept"
        lines.append(f"├─ activations of what is frozen: {kept}, {found['activations']['why']}")
    lines += [f"├─ warning: {warning}" for warning in found["warnings"]]
    for trial in found["trials"]:
        done = f"  already finished as {trial['finished']}" if trial["finished"] else ""
        lines.append(f"└─ run {trial['run']}{done}")
        lines += [f"     {step_line(step)}" for step in trial["steps"]]
    return "\n".join(lines)


def table(task: dict[str, Any], most: int = 12) -> list[str]:
    """Rows by label and split, the largest labels first, and weights in the loss where there are some."""
    train = task["rows"]["train"]
    names = dict(zip(task["labels"], task["shown"], strict=True))
    if not names.keys() & train.keys():  # the head's outputs are no labels
        names = {unit: unit for unit in train} if len(train) <= most else {}
    order = sorted(names, key=lambda label: -train.get(label, 0))
    told = {label: label if names[label] == label else f"{label} ({names[label]})" for label in order[:most]}
    width = max(map(len, told.values()), default=0)
    lines = [
        f"{told[label]:<{width}}  "
        + "  ".join(f"{rows.get(label, 0):>6} {s}" for s, rows in task["rows"].items())
        + (f"  weight {task['weights'][label]:.3g}" if task["weights"] else "")
        for label in order[:most]
    ]
    return lines + ([f"... and {len(order) - most} more labels"] if len(order) > most else [])


def told(row: dict[str, Any], colour: bool) -> list[str]:
    """A row in one line; of what a language model writes a line for each sequence."""
    if "tokens" not in row:
        return [shorten(row)]
    beside = "".join(f" → {name} {value}" for name, value in row["targets"].items())
    return [line(each, colour) + beside for each in row["tokens"]]


def shorten(row: dict[str, Any], width: int = 70) -> str:
    """One row in one line."""
    text = row["text"] if len(row["text"]) <= width else row["text"][: width - 1] + "…"
    return f"{text!r} → " + ", ".join(f"{name} {value}" for name, value in row["targets"].items())


def step_line(step: dict[str, Any]) -> str:
    """One step: hit or not, its name, key, why."""
    mark = "✓" if step["cached"] else "•"
    detail = ", ".join(f"{name} {value}" for name, value in step["detail"].items() if not isinstance(value, dict))
    return f"{mark} {step['name']}  {step['key'][:12]}  {step['reason']}" + (f"  ({detail})" if detail else "")
