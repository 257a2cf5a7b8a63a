"""The model card: data, scores, licence and limits, in the words of this run."""

from __future__ import annotations

import json
from importlib import metadata
from typing import Any

from runner.plan.compile import Plan, Trial
from runner.plan.estimate import parameters


def card(plan: Plan, trial: Trial, scores: list[dict[str, Any]]) -> str:
    """A README.md in Markdown."""
    checked, experiment = plan.checked, plan.checked.spec.experiment
    count = parameters(checked)
    lines = [
        f"# {experiment.name}",
        "",
        experiment.description or "A fine-tuned text classifier.",
        "",
        f"- Run `{trial.run}`, seed {trial.seed}; the spec as written is `spec.toml`, with all defaults `spec.json`.",
        f"- Base `{checked.base.written}`: {count.total:,} parameters, {count.trainable:,} of them trained.",
        f"- Licence of the base: {licence(checked.base)}.",
        "",
        "## Data",
        "",
        "| data set | split | rows | licence |",
        "|---|---|---|---|",
    ]
    for name, loaded in checked.loaded.items():
        terms = experiment.data[name].license or "not stated"
        lines += [f"| {name} | {split} | {rows:,} | {terms} |" for split, rows in loaded.rows.items()]
    lines += [
        "",
        "## Scores",
        "",
        "| split | task | metric | model | value | interval | n |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {s['split']} | {s['task']} | {s['metric']} | {s['model']} "
        f"| {s['value']:.4f} | {s['low']:.4f} to {s['high']:.4f} | {s['n']} |"
        for s in scores
    ]
    lines += ["", "## Limits", ""]
    lines += [f"- {each.message}." for each in checked.warnings]
    lines += [
        f"- Texts beyond {experiment.model.max_length} tokens are cut.",
        "- Scores hold for texts like those of the test split; other sources, topics or languages were not measured.",
        "- The model always answers one of its labels, also on texts that fit none.",
        "",
        "## Use",
        "",
        "```python",
        "from runner.model.save import load",
        "",
        'answer = load("path/to/this/folder")',
        f"answer([{json.dumps('a text')}])",
        "```",
        "",
    ]
    return "\n".join(lines)


def licence(base: Any) -> str:
    """What the base's package or own card says, or that both say nothing."""
    if base.written.startswith("package:"):
        about: Any = metadata.metadata(base.written.removeprefix("package:"))
        found = about.get("License-Expression") or about.get("License")
        if found:
            return str(found).splitlines()[0]
    readme = base.folder / "README.md"
    if readme.is_file():
        for line in readme.read_text(encoding="utf-8", errors="replace").splitlines()[:60]:
            if line.startswith("license:"):
                return str(line.split(":", 1)[1].strip())
    return "not stated in its folder"
