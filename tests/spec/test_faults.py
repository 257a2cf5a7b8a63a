"""Faults of a spec: found all at once, at their places, in the author's words."""

import json
from pathlib import Path

import pytest

from runner.errors import SpecError
from runner.spec.read import read
from runner.spec.render import FORMATS, render

GOOD = """\
name = "good"

[model]
base = "package:x"

[data.a]
train = "a.csv"

[tasks.t]
type = "classification"
data = ["a"]
"""
BAD = """\
name = "bad"
learning_rate = 1e-3
sead = 3

[model]
max_length = "long"
adapter = { type = "lora", rnk = 4 }

[data.a]
train = "a.csv"
validation = { fraction = 1.5 }
test = 3

[tasks.t]
type = "clasification"
data = ["a"]

[train]
epochs = 0
schedule = "linea"
"""
ALLOWED = "`data`, `description`, `evaluate`, `execute`, `extends`, `grid`, `mixing`, `model`, `name`, `search`, `seed`, `seeds`, `selection`, `tasks`, `train`"
RENDERED = f"""\
bad.toml:2:1: error[unknown-key]: unknown key `learning_rate`
  |
2 | learning_rate = 1e-3
  | ^^^^^^^^^^^^^
  = help: it belongs in [train]

bad.toml:3:1: error[unknown-key]: unknown key `sead`
  |
3 | sead = 3
  | ^^^^
  = help: did you mean `seed`? allowed: {ALLOWED}

bad.toml:5:2: error[missing-key]: `base` is missing in [model]
  |
5 | [model]
  |  ^^^^^
  = help: Where the weights come from: `package:NAME` (inside an installed package), a folder, a GGUF file, a hub id, `run:NAME` (what an earlier run trained, by the beginning of its name), or a table of an untrained model.

bad.toml:6:14: error[wrong-type]: `max_length` is a string, but should be an integer
  |
6 | max_length = "long"
  |              ^^^^^^
  = help: Longest input in tokens, special tokens included; longer inputs are cut. Default 128.

bad.toml:7:28: error[unknown-key]: unknown key `rnk` in [model.adapter]
  |
7 | adapter = {{ type = "lora", rnk = 4 }}
  |                            ^^^
  = help: did you mean `rank`? allowed: `alpha`, `dora`, `dropout`, `per_task`, `rank`, `rslora`, `targets`, `type`

bad.toml:11:27: error[out-of-bounds]: `fraction` is 1.5, but must be less than 1
   |
11 | validation = {{ fraction = 1.5 }}
   |                           ^^^
   = help: Share of the rows, between 0 and 1, chosen by the hash of their id; adding rows moves no other row.

bad.toml:12:8: error[wrong-type]: `test` is an integer, but should be a string, or a table
   |
12 | test = 3
   |        ^
   = help: Rows that are scored once at the end; left out = no test score.

bad.toml:15:8: error[unknown-kind]: unknown kind of task `clasification`
   |
15 | type = "clasification"
   |        ^^^^^^^^^^^^^^^
   = help: did you mean `classification`? allowed: `causal_lm`, `classification`, `masked_lm`, `multilabel`, `ordinal`, `preference`, `question_answering`, `regression`, `seq2seq`, `similarity`, `token_classification`

bad.toml:19:10: error[out-of-bounds]: `epochs` is 0, but must be at least 1
   |
19 | epochs = 0
   |          ^
   = help: Passes over the training rows. Default 3.

bad.toml:20:12: error[unknown-word]: `schedule` is `linea`
   |
20 | schedule = "linea"
   |            ^^^^^^^
   = help: did you mean `linear`? allowed: `constant`, `cosine`, `linear`"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def faults(text: str | bytes, name: str = "bad.toml"):
    """All faults of a spec with this text."""
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SpecError) as found:
        read(Path(name))
    return found.value.diagnostics


def only(text: str | bytes):
    """The one fault of a text."""
    found = faults(text)
    assert len(found) == 1, found
    return found[0]


def test_the_good_spec_is_good(here):
    Path("good.toml").write_text(GOOD)
    assert read(Path("good.toml")).experiment.name == "good"


def test_text_shows_every_fault_in_order(here):
    assert render(faults(BAD)) == RENDERED


@pytest.mark.parametrize(
    "old,new,code,message,line",
    [
        ('type = "classification"\n', "", "missing-key", "`type` is missing in [tasks.t]", 9),
        ('data = ["a"]', "data = []", "out-of-bounds", "`data`: ", 11),
        ('base = "package:x"', 'base = ""', "out-of-bounds", "`base`: ", 4),
        ('name = "good"', 'name = "no name"', "bad-name", "`no name` is no name", 1),
        ("[data.a]", '[data."a b"]', "bad-name", "`a b` is no name", 6),
        ('name = "good"', "name = 3", "wrong-type", "`name` is an integer, but should be a string", 1),
        ('name = "good"', 'name = "good"\nseed = 2.5', "wrong-type", "`seed` is a float, but should be an integer", 2),
        ('name = "good"', 'name = "good"\nseed = true', "wrong-type", "`seed` is a boolean", 2),
        ('name = "good"', 'name = "good"\nseed = 1\nseeds = [2]', "conflict", "write either `seed` or `seeds`", 1),
        (
            'name = "good"',
            'name = "good"\nmixing = 3',
            "wrong-type",
            "`mixing` is an integer, but should be a table",
            2,
        ),
        ('name = "good"', 'name = "good"\ntrain = []', "wrong-type", "`train` is an array, but should be a table", 2),
        ('name = "good"', 'name = "good"\nmixing = {}', "missing-key", "`strategy` is missing in [mixing]", 2),
        ('base = "package:x"', 'base = "x"\ndropout = inf', "out-of-bounds", "`dropout`", 5),
        ('base = "package:x"', 'base = "x"\ndropout = nan', "out-of-bounds", "`dropout`", 5),
    ],
)
def test_one_fault_is_one_diagnostic(here, old, new, code, message, line):
    assert old in GOOD
    found = only(GOOD.replace(old, new))
    assert (found.code, found.line, found.file) == (code, line, "bad.toml")
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    "written",
    [
        "validation = 3",
        "validation = {}",
        "validation = { fraction = 2.5 }",
        "validation = { fraction = 0.5, zzz = 1 }",
        'validation = { fraction = "x" }',
        'validation = { column = "x" }',
        "validation = { from = 3, fraction = 0.5 }",
        'validation = ""',
        "validation = []",
    ],
)
def test_a_place_of_several_types_gives_one_diagnostic(here, written):
    assert only(GOOD.replace('train = "a.csv"', f'train = "a.csv"\n{written}')).line == 8


@pytest.mark.parametrize(
    "written",
    [
        "input = 3",
        "input = []",
        "input = [1]",
        "class_weights = 3",
        'class_weights = "x"',
        "class_weights = { a = -1 }",
        'metrics = ["acuracy"]',
        "metrics = [3]",
        'labels = ["one"]',
        "label_names = { a = 3 }",
    ],
)
def test_a_task_gives_one_diagnostic(here, written):
    assert only(f"{GOOD}{written}\n").line == 12


def test_not_toml(here):
    found = only('name = "x"\nb = [1\nc = 2\n')
    assert (found.code, found.line) == ("not-toml", 3)
    assert found.message.startswith("not TOML: ")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "\ufeff"])
def test_empty_file(here, text):
    assert only(text).code == "empty"


def test_missing_file(here):
    with pytest.raises(SpecError) as found:
        read(Path("none.toml"))
    shown = render(found.value.diagnostics)
    assert shown.startswith("none.toml: error[unreadable]: cannot read the file: No such file")


def test_folder(here):
    Path("folder").mkdir()
    with pytest.raises(SpecError) as found:
        read(Path("folder"))
    assert render(found.value.diagnostics).startswith("folder: error[unreadable]: cannot read the file: Is a directory")


def test_not_utf8(here):
    found = only(b'name = "x"\n# \xe9\n')
    assert (found.code, found.message, found.line) == ("unreadable", "not UTF-8: byte 0xe9", 2)


def test_byte_order_mark_and_crlf_keep_the_places(here):
    found = only(b"\xef\xbb\xbf" + GOOD.replace("name =", "zzz = 1\nname =").replace("\n", "\r\n").encode())
    assert (found.line, found.column, found.end_column) == (1, 1, 3)
    assert "\r" not in render([found])


def test_json(here):
    found = json.loads(render(faults(BAD), "json"))
    assert found[0] == {
        "code": "unknown-key",
        "message": "unknown key `learning_rate`",
        "file": "bad.toml",
        "line": 2,
        "column": 1,
        "end_column": 13,
        "path": ["learning_rate"],
        "hint": "it belongs in [train]",
        "severity": "error",
    }
    assert len(found) == 10


def test_sarif(here):
    found = json.loads(render(faults(BAD), "sarif"))
    run = found["runs"][0]
    assert found["version"] == "2.1.0"
    assert {each["ruleId"] for each in run["results"]} == {each["id"] for each in run["tool"]["driver"]["rules"]}
    assert run["results"][0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "bad.toml"},
        "region": {"startLine": 2, "startColumn": 1, "endColumn": 14},
    }


def test_github(here):
    lines = render(faults(BAD), "github").split("\n")
    message = "unknown key `learning_rate`. it belongs in [train]"
    assert lines[0] == f"::error file=bad.toml,line=2,col=1,endColumn=13,title=unknown-key::{message}"
    assert len(lines) == 10
    assert all(line == line.strip() for line in lines)


def test_github_escapes(here):
    found = faults(GOOD.replace('"good"', '"50%\\nx"'), "a,b.toml")
    assert "file=a%2Cb.toml," in render(found, "github")
    assert "50%25%0Ax" in render(found, "github")


@pytest.mark.parametrize("format", FORMATS)
def test_no_fault_renders(format):
    assert render([], format) in ("", "[]") or json.loads(render([], format))["runs"][0]["results"] == []
