"""One spec over another."""

from pathlib import Path

import pytest

from runner.errors import SpecError
from runner.spec.read import read

BASE = """\
name = "base"
seed = 7

[model]
base = "./weights"
dropout = 0.2

[data.a]
train = "rows/a.csv"
validation = "../v.csv"
test = "hub:x/y#test"

[tasks.t]
type = "classification"
data = ["a"]

[mixing]
strategy = "temperature"
temperature = 3.0

[train]
epochs = 5
batch_size = 8
"""


@pytest.fixture
def write(tmp_path):
    """Write the parent, then a child in a sibling folder; the child's path."""

    def both(child: str, parent: str = BASE) -> Path:
        (tmp_path / "base").mkdir(exist_ok=True)
        (tmp_path / "own").mkdir(exist_ok=True)
        (tmp_path / "base/base.toml").write_text(parent)
        (tmp_path / "own/child.toml").write_text(child)
        return tmp_path / "own/child.toml"

    return both


def one(file: Path):
    """The one fault of a spec."""
    with pytest.raises(SpecError) as found:
        read(file)
    assert len(found.value.diagnostics) == 1, found.value.diagnostics
    return found.value.diagnostics[0]


def test_tables_merge_key_by_key(write):
    made = read(write('extends = "../base/base.toml"\nname = "child"\n[train]\nepochs = 1\n')).experiment
    assert (made.name, made.train.epochs, made.train.batch_size, made.model.dropout) == ("child", 1, 8, 0.2)


def test_the_parent_is_known(write):
    made = read(write('extends = "../base/base.toml"\n'))
    assert made.parent is not None and made.parent.resolve().name == "base.toml"


def test_paths_of_the_parent_hold_from_the_child(write):
    made = read(write('extends = "../base/base.toml"\n'))
    data = made.experiment.data["a"]
    assert (made.folder / data.train).resolve() == made.folder.parent / "base/rows/a.csv"
    assert (made.folder / str(data.validation)).resolve() == made.folder.parent / "v.csv"
    assert data.test == "hub:x/y#test"
    assert (made.folder / made.experiment.model.base).resolve() == made.folder.parent / "base/weights"


def test_paths_of_the_child_stay(write):
    made = read(write('extends = "../base/base.toml"\n[data.a]\ntrain = "own.csv"\n'))
    assert made.experiment.data["a"].train == "own.csv"


def test_a_part_of_another_kind_replaces_the_table(write):
    made = read(write('extends = "../base/base.toml"\n[mixing]\nstrategy = "uniform"\n')).experiment
    assert made.mixing is not None and made.mixing.model_dump() == {"strategy": "uniform", "batches": "separate"}


def test_a_part_of_the_same_kind_merges(write):
    made = read(write('extends = "../base/base.toml"\n[tasks.t]\nloss_weight = 2\n')).experiment
    assert made.tasks["t"].model_dump()["loss_weight"] == 2


def test_seeds_replace_the_seed(write):
    assert read(write('extends = "../base/base.toml"\nseeds = [1, 2]\n')).experiment.all_seeds == (1, 2)


def test_a_chain_is_refused_at_the_child(write):
    file = write('extends = "../base/base.toml"\n', f'extends = "x.toml"\n{BASE}')
    found = one(file)
    assert (found.code, found.file, found.line, found.column) == ("extends-chain", str(file), 1, 11)


def test_a_missing_parent_is_shown_at_the_word(write):
    file = write('name = "x"\nextends = "../base/none.toml"\n')
    found = one(file)
    assert (found.code, found.file, found.line, found.column) == ("unreadable", str(file), 2, 11)
    assert "none.toml" in found.message


def test_extends_must_be_text(write):
    with pytest.raises(SpecError) as found:
        read(write("extends = 3\n"))
    assert "`extends` is an integer, but should be a string" in [each.message for each in found.value.diagnostics]


def test_a_fault_of_the_parent_stands_in_its_file(write):
    found = one(write('extends = "../base/base.toml"\nname = "x"\n', BASE.replace("epochs = 5", "epochs = 0")))
    assert (Path(found.file).name, found.line, found.column) == ("base.toml", 22, 10)


def test_a_fault_of_the_child_stands_in_its_file(write):
    found = one(write('extends = "../base/base.toml"\n[train]\nepochs = 0\n'))
    assert (Path(found.file).name, found.line) == ("child.toml", 3)


def test_a_parent_that_is_not_toml(write):
    found = one(write('extends = "../base/base.toml"\n', "a = [\n"))
    assert (found.code, Path(found.file).name) == ("not-toml", "base.toml")


def test_what_augmentations_name_is_found_from_the_child(write):
    augment = """augment = [
  { type = "back_translate", to = "./there", back = "hub/back", embedder = "package:e" },
  { type = "synonyms", table = "words/synonyms.csv" },
  { type = "insert_words", table = { a = ["b"] } },
]
"""
    file = write('extends = "../base/base.toml"\nname = "x"\n', BASE.replace("[tasks.t]", augment + "\n[tasks.t]"))
    first, second, third = read(file).experiment.data["a"].augment
    assert (first.to, first.back, first.embedder) == ("../base/there/", "hub/back", "package:e")
    assert (second.table, third.table) == ("../base/words/synonyms.csv", {"a": ["b"]})
