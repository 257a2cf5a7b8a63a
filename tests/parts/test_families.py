"""What every kind of every family promises; a new file in `runner/parts/` is found by itself."""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import tomli
from pydantic import TypeAdapter, ValidationError

from runner import kinds
from runner.errors import RunnerError, SpecError
from runner.kinds import Family, Part
from runner.spec.read import read

ROOT = Path(__file__).parents[2]
FAMILIES = sorted(file.parent.name for file in (ROOT / "runner/parts").glob("*/__init__.py"))
KINDS = [(family, name) for family in FAMILIES for name in kinds.names(family)]
HEAVY = ("torch", "lightning", "transformers", "peft", "datasets", "torchmetrics", "sklearn")
GOOD = """
name = "good"
[data.a]
train = "a.csv"
[data.reviews]
train = "a.csv"
[data.comments]
train = "a.csv"
[data.news]
train = "a.csv"
[data.reading]
train = "a.csv"
[data.stories]
train = "a.csv"
[data.answers]
train = "a.csv"
[data.papers]
train = "a.csv"
[data.sentences]
train = "a.csv"
[tasks.t]
type = "classification"
data = ["a"]
[model]
base = "package:x"
"""
# Where a spec names a kind of the family; `{example}` is its table, `{name}` its word.
PLACES = {
    "adapters": "[model.adapter]\n{example}",
    "augment": '[data.more]\ntrain = "a"\n[[data.more.augment]]\n{example}',
    "cleaners": '[data.more]\ntrain = "a"\n[[data.more.clean]]\n{example}',
    "judges": '[tasks.more]\ntype = "causal_lm"\ndata = ["a"]\n[[tasks.more.generate.judges]]\n{example}',
    "metrics": '[tasks.more]\ntype = "classification"\ndata = ["a"]\nmetrics = ["{name}"]',
    "mixing": "[mixing]\n{example}",
    "proxies": '[tasks.more]\ntype = "causal_lm"\ndata = ["a"]\n[[tasks.more.generate.proxies]]\n{example}',
    "sources": '[data.more]\ntrain = "a"\nformat = "{name}"',
    "tasks": "[tasks.more]\n{example}",
}
CALLED = {
    "adapters": "kind of adapter",
    "augment": "kind of augmentation",
    "cleaners": "kind of cleaner",
    "judges": "kind of judge",
    "metrics": "metric",
    "mixing": "strategy of mixing",
    "proxies": "kind of proxy",
    "sources": "format",
    "tasks": "kind of task",
}
TABLES = [each for each in KINDS if "{example}" in PLACES[each[0]]]
EACH_PROGRAM = """
import importlib, json, sys
from runner import kinds
for family, name in json.loads(sys.argv[1]):
    importlib.import_module(kinds.pick(family, name).__module__)
print(json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))
"""
ALONE_PROGRAM = """
import json, sys
from runner import kinds
found = {}
for family, name in json.loads(sys.argv[1]):
    for module in [module for module in sys.modules if module.startswith("runner.parts.")]:
        del sys.modules[module]
    kinds.pick.cache_clear()
    kinds.pick(family, name)
    found[f"{family}.{name}"] = [
        module.removeprefix("runner.parts.") for module in sys.modules
        if module.startswith("runner.parts.") and module.count(".") == 3 and not module.split(".")[3].startswith("_")
    ]
print(json.dumps(found))
"""

every_kind = pytest.mark.parametrize("family,name", KINDS, ids=lambda word: word)
every_table = pytest.mark.parametrize("family,name", TABLES, ids=lambda word: word)


def word(family):
    """The key whose value names the kind."""
    return "strategy" if family == "mixing" else "type"


def toml(family, name):
    """The example of the docstring."""
    return re.findall(r"```toml\n(.*?)```", inspect.getdoc(kinds.pick(family, name)), re.DOTALL)[-1]


def example(family, name):
    return tomli.loads(toml(family, name))


def build(family, tables):
    """The part of a table, as a field of a spec does it."""
    return TypeAdapter(Annotated[Part, Family(family, word(family))]).validate_python(tables)


def doubled(name):
    """A typo: the last letter twice."""
    return name + name[-1]


def fresh(program, *words):
    """What a program prints in a fresh process."""
    run = [sys.executable, "-c", program, *map(json.dumps, words)]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def faults(folder, text):
    """What `validate` says about a good spec with more text below."""
    (folder / "spec.toml").write_text(GOOD + text, encoding="utf-8")
    with pytest.raises(SpecError) as error:
        read(folder / "spec.toml")
    return error.value.diagnostics


def test_every_folder_of_parts_is_a_family_with_kinds():
    assert set(FAMILIES) >= {"adapters", "metrics", "mixing", "sources", "tasks"}
    assert all(kinds.names(family) for family in FAMILIES)


@every_kind
def test_the_file_is_named_by_the_word(family, name):
    part = kinds.pick(family, name)
    assert part.kind == name
    assert Path(inspect.getfile(part)).stem == name


@every_kind
def test_the_class_says_what_it_is_and_ends_with_an_example(family, name):
    text = inspect.cleandoc(vars(kinds.pick(family, name))["__doc__"])
    assert re.match(r"[A-Z`0-9].*\.\n", text), "begins with a sentence"
    assert text.endswith("\n```"), "ends with a TOML example"
    assert example(family, name)[word(family)] == name


@every_kind
def test_the_module_begins_with_its_charter(family, name):
    assert inspect.getmodule(kinds.pick(family, name)).__doc__.strip().endswith(".")


@every_kind
def test_every_field_has_a_sentence(family, name):
    part = kinds.pick(family, name)
    said = {key: kinds.sentences(part).get(key, "") for key in part.model_fields}
    assert [key for key, sentence in said.items() if not sentence.endswith(".")] == []


@every_kind
def test_the_example_is_valid(family, name):
    part = build(family, example(family, name))
    assert type(part) is kinds.pick(family, name)
    assert part == kinds.pick(family, name).model_validate(example(family, name))


@every_kind
def test_what_is_written_back_is_the_same_part(family, name):
    part = build(family, example(family, name))
    assert build(family, json.loads(part.model_dump_json(by_alias=True))) == part


@every_kind
def test_an_instance_is_frozen(family, name):
    part = build(family, example(family, name))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(part, word(family), name)


@every_kind
def test_an_unknown_key_is_refused(family, name):
    with pytest.raises(ValidationError) as error:
        build(family, {**example(family, name), "zzz": 1})
    assert [(each["type"], each["loc"]) for each in error.value.errors()] == [("extra_forbidden", ("zzz",))]


@every_table
def test_an_unknown_key_of_a_table_is_refused_with_the_nearest(family, name, tmp_path):
    key = list(kinds.pick(family, name).model_fields)[-1]
    text = PLACES[family].format(example=f"{doubled(key)} = 1\n{toml(family, name)}")
    found = faults(tmp_path, text)
    assert [each.code for each in found] == ["unknown-key"]
    assert found[0].hint.startswith(f"did you mean `{key}`?")


@every_kind
def test_an_unknown_kind_is_refused_with_the_nearest(family, name, tmp_path):
    typo = toml(family, name).replace(f'"{name}"', f'"{doubled(name)}"', 1)
    found = faults(tmp_path, PLACES[family].format(example=typo, name=doubled(name)))
    assert [each.code for each in found] == ["unknown-kind"]
    assert found[0].message == f"unknown {CALLED[family]} `{doubled(name)}`"
    assert found[0].hint.startswith(f"did you mean `{name}`?")


@every_kind
def test_the_right_word_is_accepted_at_that_place(family, name, tmp_path):
    text = PLACES[family].format(example=toml(family, name), name=name)
    (tmp_path / "spec.toml").write_text(GOOD + text, encoding="utf-8")
    assert name in read(tmp_path / "spec.toml").experiment.model_dump_json()


@every_kind
def test_picking_an_unknown_kind_offers_the_nearest(family, name):
    with pytest.raises(RunnerError, match=f"unknown {CALLED[family]} `{doubled(name)}`") as error:
        kinds.pick(family, doubled(name))
    assert error.value.hint.startswith(f"did you mean `{name}`?")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "value,fault", [({}, "missing_kind"), (3, "dict_type"), ({"type": 3, "strategy": 3}, "unknown_kind")]
)
def test_a_value_that_names_no_kind_is_refused(family, value, fault):
    with pytest.raises(ValidationError) as error:
        build(family, value)
    assert [each["type"] for each in error.value.errors()] == [fault]


def test_no_kind_loads_a_heavy_library():
    assert fresh(EACH_PROGRAM, KINDS, HEAVY) == []


def test_picking_a_kind_imports_no_sibling():
    assert fresh(ALONE_PROGRAM, KINDS) == {f"{family}.{name}": [f"{family}.{name}"] for family, name in KINDS}
