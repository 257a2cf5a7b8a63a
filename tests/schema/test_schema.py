"""The JSON schema and the reference page say what the tables say."""

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, validators
from pydantic import ValidationError

from runner.kinds import Table, names, pick, sentences
from runner.spec import document, grid, require, schema, search, tables
from runner.spec.tables import Experiment
from tests.mutations import holders, mutated

ROOT = Path(__file__).parents[2]
FAMILIES = ("adapters", "augment", "cleaners", "metrics", "mixing", "sources", "tasks")
# JSON counts 2.0 as an integer, TOML does not.
TYPES = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
VALIDATOR = validators.extend(Draft202012Validator, type_checker=TYPES)(schema.schema())
WHOLE = {
    "name": "whole",
    "description": "Every table.",
    "seeds": [1, 2],
    "model": {
        "base": "package:x",
        "max_length": 64,
        "pooling": "cls",
        "dropout": 0.25,
        "adapter": {"type": "lora", "rank": 4, "alpha": 8.5, "targets": ["query"]},
    },
    "data": {
        "a": {
            "train": "a.csv",
            "validation": {"from": "train", "fraction": 0.25, "stratify": "label"},
            "format": "csv",
        },
        "b": {"train": "b.csv", "validation": "v.csv", "test": {"column": "part", "values": ["t"]}},
    },
    "tasks": {
        "t": {
            "type": "classification",
            "data": ["a"],
            "input": ["x", "y"],
            "metrics": ["accuracy"],
            "loss_weight": 0.5,
            "labels": ["no", "yes"],
            "label_names": {"no": "No"},
            "class_weights": {"no": 0.5},
            "label_smoothing": 0.125,
        },
        "u": {"type": "classification", "data": ["b"], "class_weights": "balanced"},
    },
    "mixing": {"strategy": "weights", "weights": {"a": 1.5, "b": 2.5}},
    "train": {
        "epochs": 2,
        "learning_rate": 0.001,
        "head_learning_rate": 0.01,
        "layer_decay": 0.5,
        "average": {"ema": 0.5},
        "clip_norm": 0.5,
        "packing": False,
        "early_stopping": {"metric": "loss", "patience": 1, "min_delta": 0.5},
    },
    "selection": {"weights": {"t.accuracy": 1.5, "u.loss": 0.0}, "transforms": {"u.loss": "inverse"}},
    "evaluate": {"confidence": 0.5, "resamples": 200, "baselines": ["tfidf"]},
    "execute": {"threads": 2, "accelerator": "cpu"},
}
KEYS = st.sampled_from(["zzz", "a b", "epochs", "base", "fraction", "from", "train", "type", "rank", "seed"])
VALUES = st.sampled_from(
    [
        True,
        False,
        -1,
        0,
        1,
        2,
        3,
        99,
        2**31,
        2**32,
        -0.5,
        0.5,
        0.999,
        1.5,
        10.5,
        1000000000.0,
        "",
        "x",
        "none",
        "mean",
        "lora",
        "uniform",
        "all-linear",
        "tokens",
        [],
        [1],
        ["x"],
        ["x", "y"],
        ["x", "y", "z"],
        ["accuracy"],
        [0.5],
        {},
        {"type": "lora"},
        {"strategy": "uniform"},
        {"strategy": "temperature", "temperature": 0.5},
        {"x": 0.5},
        {"x": "y"},
    ]
)


def accepted(value):
    """Whether the tables take it; None where a rule of ours refuses it, which the schema cannot say."""
    try:
        Experiment.model_validate(copy.deepcopy(value))
    except ValidationError as error:
        return None if any(each["type"] in ("one_way", "bad_value") for each in error.errors()) else False
    return True


def agree(value):
    """The schema and the tables accept or refuse alike."""
    verdict = accepted(value)
    if verdict is not None:
        faults = [f"{each.json_path}: {each.message}" for each in VALIDATOR.iter_errors(value)]
        assert (not faults) == verdict, (value, faults)


def test_files_are_fresh():
    assert (ROOT / "schemas/experiment.schema.json").read_text(encoding="utf-8") == schema.text()
    assert (ROOT / "docs/spec.md").read_text(encoding="utf-8") == document.text()


def test_text_is_stable():
    assert json.loads(schema.text()) == schema.schema()
    run = [sys.executable, "-c", "from runner.spec.schema import text; print(text(), end='')"]
    assert subprocess.run(run, capture_output=True, check=True, cwd=ROOT).stdout.decode() == schema.text()


def test_schema_is_a_schema():
    Draft202012Validator.check_schema(schema.schema())


def test_every_reference_resolves():
    definitions = schema.schema()["$defs"]
    wanted = {each["$ref"].removeprefix("#/$defs/") for each in holders(schema.schema()) if "$ref" in each}
    assert wanted == set(definitions)


def test_every_kind_is_in_the_schema():
    kinds = {
        node["const"]
        for definition in schema.schema()["$defs"].values()
        for node in definition["properties"].values()
        if "const" in node
    }
    assert kinds == {
        name
        for family in ("adapters", "augment", "cleaners", "judges", "mixing", "proxies", "tasks")
        for name in names(family)
    }


@pytest.mark.parametrize("model", [each for _, each in document.TABLES], ids=lambda model: model.__name__)
def test_every_field_of_a_table_has_a_sentence(model):
    assert model.__doc__
    assert model.model_fields.keys() <= sentences(model).keys()


def test_the_page_holds_every_table():
    modules = (tables, grid, require, search)
    owned = [(each, module) for module in modules for each in vars(module).values() if isinstance(each, type)]
    found = {each for each, module in owned if each.__module__ == module.__name__ and issubclass(each, Table)}
    assert {model for _, model in document.TABLES} == found


@pytest.mark.parametrize("family,name", [(family, name) for family in FAMILIES for name in names(family)])
def test_every_field_of_a_part_has_a_sentence_and_the_page_shows_it(family, name):
    part = pick(family, name)
    assert part.__doc__ and "```toml" in part.__doc__
    assert part.model_fields.keys() <= sentences(part).keys()
    assert f"### `{name}`" in document.text()


def test_the_whole_document_is_valid():
    assert accepted(WHOLE)
    assert list(VALIDATOR.iter_errors(WHOLE)) == []


@settings(max_examples=500, deadline=None, database=None)
@given(mutated(WHOLE, KEYS, VALUES))
@example(WHOLE | {"seeds": [2, 1e9]})
def test_schema_and_tables_agree(document):
    if "extends" not in document:
        agree(document)


def test_schema_and_tables_agree_without_any_one_key():
    for index, holder in enumerate(holders(WHOLE)):
        for key in holder if isinstance(holder, dict) else ():
            made = copy.deepcopy(WHOLE)
            del list(holders(made))[index][key]
            agree(made)


def test_schema_and_tables_refuse_an_unknown_key_in_every_table():
    free = ("label_names", "class_weights", "weights")
    open_tables = [
        holder for task in WHOLE["tasks"].values() for key in free if isinstance(holder := task.get(key), dict)
    ]
    open_tables.append(WHOLE["mixing"]["weights"])
    for index, holder in enumerate(holders(WHOLE)):
        if isinstance(holder, dict) and not any(holder is each for each in open_tables):
            made = copy.deepcopy(WHOLE)
            list(holders(made))[index]["zzz"] = "x"
            assert accepted(made) is False
            assert not VALIDATOR.is_valid(made)


def test_a_spec_that_extends_may_write_parts_of_tables():
    assert VALIDATOR.is_valid({"extends": "a.toml", "model": {"dropout": 0.5}, "tasks": {"t": {"loss_weight": 2}}})
    assert not VALIDATOR.is_valid({"extends": "a.toml", "model": {"dropot": 0.5}})


def test_tombi_accepts_our_specs_and_refuses_a_wrong_one(tmp_path):
    tombi = shutil.which("tombi") or shutil.which("tombi", path=Path(sys.executable).parent)
    if not tombi:
        pytest.skip("tombi is not installed")
    run = [tombi, "lint", "--offline"]
    good = subprocess.run([*run, "specs/quickstart.toml"], cwd=ROOT, capture_output=True, text=True)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "Warning" not in good.stdout + good.stderr
    (tmp_path / "schemas").mkdir()
    (tmp_path / "specs").mkdir()
    (tmp_path / "schemas/experiment.schema.json").write_text(schema.text(), encoding="utf-8")
    wrong = (ROOT / "specs/quickstart.toml").read_text(encoding="utf-8").replace("[train]", "[train]\nepoks = 1")
    (tmp_path / "specs/wrong.toml").write_text(wrong, encoding="utf-8")
    bad = subprocess.run([*run, "specs/wrong.toml"], cwd=tmp_path, capture_output=True, text=True)
    assert bad.returncode != 0
    assert "epoks" in bad.stdout + bad.stderr
