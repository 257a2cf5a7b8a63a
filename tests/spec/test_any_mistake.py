"""Whatever stands in a spec, each fault gets a sentence at a place of its own."""

import tomli
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.spec.diagnose import diagnose
from runner.spec.places import Places
from runner.spec.tables import Experiment
from tests.mutations import mutated

SPEC = """\
name = "x"
seeds = [1, 2]
[model]
base = "package:x"
adapter = { type = "lora", rank = 4, targets = ["query"] }
[data.a]
train = "a.csv"
validation = { fraction = 0.2, stratify = "label" }
balance = { cap = 5 }
balance_by = "label"
sample = 0.5
clean = [{ type = "pattern", find = "a", columns = ["text"] }, { type = "language", keep = ["en"], files = ["train"] }]
augment = [{ type = "synonyms", table = { a = ["b"] } }, { type = "paraphrase", model = "m", prompt = "{text} anew" }]
[tasks.t]
type = "classification"
data = ["a"]
input = ["x", "text"]
metrics = ["accuracy"]
labels = ["no", "yes"]
class_weights = { no = 0.5 }
[mixing]
strategy = "weights"
weights = { a = 1.5 }
[train]
epochs = 3
early_stopping = { metric = "loss" }
"""
KEYS = st.sampled_from(["zzz", "typ", "a b", "cpa", "columns", "data", "type", "train", "fraction", "seed"])
VALUES = st.sampled_from(
    [
        "",
        "x",
        "lowercase",
        "(",
        0,
        3,
        -0.5,
        1.5,
        True,
        float("inf"),
        [],
        ["x"],
        [3],
        [[]],
        {},
        {"type": "x"},
        {"typ": 3},
    ]
)


def test_the_good_spec_is_good():
    assert Experiment.model_validate(tomli.loads(SPEC)).name == "x"


@settings(max_examples=150, deadline=None, database=None)
@given(mutated(tomli.loads(SPEC), KEYS, VALUES))
def test_each_fault_is_told_once(tables):
    try:
        Experiment.model_validate(tables)
    except ValidationError as error:
        found = diagnose(error, tables, Places(SPEC))
        told = [(each.path, each.message) for each in found]
        assert found and len(set(told)) == len(told)
        assert all(each.message and each.line >= 1 and not each.message.startswith("`0`") for each in found)
