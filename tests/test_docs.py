"""Every command in the documents is executed, in their order; the demo beats both baselines."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli import VERBS
from runner.run.validate import validated
from runner.spec.read import read
from runner.store.macros import MACROS
from runner.store.query import query
from runner.store.standings import STANDINGS
from runner.store.views import VIEWS
from runner.usage import Group

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]


SCORES = "SELECT model, task, metric, low, high FROM scores WHERE split = 'test' AND run LIKE 'quickstart-%'"


def commands() -> list[str]:
    """Lines that begin with `$ ` in console blocks."""
    return [
        line[2:]
        for document in DOCUMENTS
        for block in re.findall(r"```console\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def elsewhere(words: list[str]) -> bool:
    """Whether a command names a spec whose files are not part of the project and not there."""
    specs = [read(ROOT / word) for word in words if word.startswith("specs/") and word.endswith(".toml")]
    paths = [spec.folder / data.train for spec in specs for data in spec.experiment.data.values()]
    return any(not path.exists() and ROOT not in path.resolve().parents for path in paths)


@pytest.mark.slow
def test_every_command_works_and_the_demo_beats_its_baselines(tmp_path: Path) -> None:
    place = os.environ | {"RUNNER_RESULTS": str(tmp_path), "OMP_NUM_THREADS": "2"}
    for command in commands():
        words = shlex.split(command.replace("results/", f"{tmp_path}/"))
        assert words[0] == "runner", f"not executed by this test: {command}"
        if elsewhere(words):
            continue
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=ROOT, env=place, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    rows = query(tmp_path, SCORES).to_pylist()
    best = {(row["task"], row["metric"]): row["low"] for row in rows if row["model"] == "best"}
    others = [row for row in rows if row["model"] != "best"]
    assert len(best) == 4 and len(others) == 8
    for row in others:
        assert row["high"] < best[row["task"], row["metric"]], row


def test_the_spec_in_the_readme_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "shown.toml").write_text(block.replace("data/", f"{ROOT}/specs/data/"), encoding="utf-8")
    assert validated([tmp_path / "shown.toml"], tmp_path / "cache")[1] == 0


def test_the_hook_calls_a_verb_that_exists() -> None:
    import yaml

    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, verb = hook["entry"].split()
    assert program == "runner" and verb in VERBS
    assert all(re.match(hook["files"], f"specs/{file.name}") for file in (ROOT / "specs").glob("*.toml"))


def test_make_targets_of_the_documents_exist() -> None:
    written = [each.read_text(encoding="utf-8") for each in DOCUMENTS]
    named = {target for text in written for target in re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE)}
    there = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= named <= there


def test_every_view_and_macro_stands_in_the_document_of_the_store_with_a_query() -> None:
    text = (ROOT / "docs/store.md").read_text(encoding="utf-8")
    asked = "\n".join(command for command in commands() if command.startswith("runner query"))
    for name, view in VIEWS.items():
        assert f"\n| `{name}` | {view.comment} |\n" in text
    for name, macro in MACROS.items():
        assert f"\n| `{name}({', '.join(macro.parameters)})` | {macro.comment} |\n" in text
    for name in [*STANDINGS.keys() - {"settings"}, *(name for name, macro in MACROS.items() if macro.columns)]:
        assert re.search(rf"\b{name}\b", asked), name


def test_every_verb_has_help_and_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for name, verb in VERBS.items():
        below = verb.verbs if isinstance(verb, Group) else {"": verb}
        for last, function in below.items():
            assert function.__doc__, (name, last)
            assert re.search(rf"\b{f'{name} {last}'.strip()}\b", readme), (name, last)
