"""Which layers a spec treats apart: their place by name, when they rest, and faults where the model has none such."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import SpecError
from runner.plan.check import checker
from runner.plan.depth import depth, rests, told
from runner.spec.read import read
from runner.spec.tables import Freeze
from tests.conftest import TINY
from tests.plan.test_check import only, text_at


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("embeddings.word_embeddings.weight", 0),
        ("bert.embeddings.LayerNorm.weight", 0),
        ("embeddings_project.weight", 0),
        ("encoder.layer.0.attention.self.query.weight", 1),
        ("base_model.model.encoder.layer.5.output.dense.lora_A.default.weight", 6),
        ("transformer.layer.3.ffn.lin1.bias", 4),
        ("encoder.block.1.layer.0.SelfAttention.q.weight", 2),
        ("layers.11.mlp_norm.weight", 12),
        ("h.2.ln_1.weight", 3),
        ("encoder.relative_attention_bias.weight", 0),
        ("encoder.rel_embeddings.weight", 0),
        ("embeddings.norm.weight", 0),
        ("final_norm.weight", 12),
        ("norm.weight", 12),
        ("ln_f.weight", 12),
    ],
)
def test_the_layer_of_a_weight_follows_from_its_name(name, expected):
    assert depth(name, 12) == expected


def resting(**fields: object) -> list[list[int]]:
    """Which of three layers rest in each of six epochs; 0 are the embeddings."""
    freeze = Freeze.model_validate(fields)
    return [[d for d in range(4) if rests(freeze, d, 3, epoch)] for epoch in range(1, 7)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"embeddings": True}, [[0]] * 6),
        ({"layers": 2}, [[1, 2]] * 6),
        ({"layers": "all"}, [[0, 1, 2, 3]] * 6),
        ({"layers": "all", "thaw": 3}, [[0, 1, 2, 3]] * 2 + [[]] * 4),
        (
            {"layers": "all", "thaw": 2, "thaw_by": "layer"},
            [[0, 1, 2, 3], [0, 1, 2], [0, 1], [0], [], []],
        ),
        ({"layers": 2, "thaw": 2, "thaw_by": "layer"}, [[1, 2], [1], [], [], [], []]),
        ({"embeddings": True, "layers": 1, "thaw": 2, "thaw_by": "layer"}, [[0, 1], [0], [], [], [], []]),
        ({"embeddings": True, "thaw": 2, "thaw_by": "layer"}, [[0], [], [], [], [], []]),
    ],
    ids=str,
)
def test_what_rests_in_each_epoch_literal(fields, expected):
    assert resting(**fields) == expected


freezes = st.builds(
    Freeze,
    embeddings=st.just(True),
    layers=st.integers(0, 4) | st.just("all"),
    thaw=st.integers(2, 9),
    thaw_by=st.sampled_from(["all", "layer"]),
)


@given(freezes)
def test_what_has_thawed_freezes_no_more_and_higher_layers_thaw_no_later(freeze):
    found = [{d for d in range(5) if rests(freeze, d, 4, epoch)} for epoch in range(1, 20)]
    assert found[0] and not found[-1]
    for before, after in pairwise(found):
        assert after <= before
        assert after == set(range(len(after)))
    assert not any(rests(freeze, d, 4, None) for d in range(5))


def test_what_is_frozen_is_told_in_words():
    assert told(Freeze(embeddings=True, layers=2)) == "embeddings and layers 1 to 2"
    assert told(Freeze(layers="all", thaw=3)) == "the whole trunk until epoch 3"


def frozen(spec: Path, table: str, text: str = TINY) -> None:
    spec.write_text(text.replace("max_length = 16", f"max_length = 16\n{table}"), encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "message", "place"),
    [
        ("freeze = { layers = 3 }", "`layers` is 3, but `./encoder` has 2 layers", "3"),
        ("reinitialise = 3", "`reinitialise` is 3, but `./encoder` has 2 layers", "3"),
        (
            "freeze = { layers = 1 }\nreinitialise = 2",
            "of 2 layers the lowest 1 are frozen and the highest 2 fresh: some would be both",
            "2",
        ),
        ("freeze = { layers = 1, thaw = 4 }", "`thaw` is epoch 4, but training ends with epoch 3", "4"),
    ],
)
def test_a_freeze_that_cannot_be_is_a_fault_at_its_place(tiny, table, message, place):
    frozen(tiny, table)
    fault = only(tiny)
    assert fault.message == message
    assert text_at(tiny, fault) == place


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("freeze = {}", "nothing is frozen"),
        ('freeze = { layers = 1, thaw_by = "layer" }', "needs an epoch to begin with"),
        ('reinitialise = 1\nadapter = { type = "lora" }', "fresh layers would never learn"),
        ('freeze = { layers = 1 }\nadapter = { type = "lora" }', "an adapter keeps the whole trunk frozen"),
    ],
)
def test_a_freeze_that_says_nothing_or_too_much_is_refused(tiny, table, message):
    frozen(tiny, table)
    with pytest.raises(SpecError) as error:
        read(tiny)
    (fault,) = error.value.diagnostics
    assert message in fault.message and fault.hint
    assert fault.line == tiny.read_text(encoding="utf-8").splitlines().index(table.split("\n")[0]) + 1


def test_layers_that_share_their_weights_cannot_be_told_apart(tiny, encoder, tmp_path):
    """A model of four layers of which only two have weights, as ALBERT's do."""
    folder = tmp_path / "shared"
    folder.mkdir()
    for file in encoder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_bytes()) | {"num_hidden_layers": 4}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    frozen(tiny, "freeze = { layers = 1 }", TINY.replace("./encoder", "./shared"))
    fault = only(tiny)
    assert "have no weights of their own" in fault.message
    assert text_at(tiny, fault) == "1"
    frozen(tiny, "", TINY.replace("./encoder", "./shared").replace("[train]", "[train]\nlayer_decay = 0.75"))
    fault = only(tiny)
    assert "so `layer_decay` can't tell them apart" in fault.message
    assert text_at(tiny, fault) == "0.75"
    frozen(tiny, 'freeze = { layers = "all" }', TINY.replace("./encoder", "./shared"))
    checker(tmp_path / "results").check(read(tiny))
