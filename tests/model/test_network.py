"""The network: weights from the folder or an error, heads from the seed, and what training may change."""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from runner.errors import RunnerError
from runner.model.network import Network
from runner.model.pooling import pool
from runner.model.trunk import load_trunk
from runner.plan.base import Base
from tests.model.tiny import LABELS, batch, network, same, weights_of

LORA = {"type": "lora", "rank": 2}
Tensors = dict[str, torch.Tensor]
FIRST = "encoder.layer.0.attention.self.query.weight"
SECOND = "encoder.layer.1.output.dense.bias"


@pytest.fixture
def changed(encoder: Path, tmp_path: Path) -> Callable[[Callable[[Tensors], Tensors]], Path]:
    """A copy of the encoder whose weights went through a function."""

    def changed(change: Callable[[Tensors], Tensors]) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(encoder, folder)
        weights = change(load_file(folder / "model.safetensors"))
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        return folder

    return changed


def without(*parts: str) -> Callable[[Tensors], Tensors]:
    return lambda weights: {name: value for name, value in weights.items() if not any(part in name for part in parts)}


def test_missing_layers_are_named(changed):
    folder = changed(without(FIRST, SECOND))
    with pytest.raises(RunnerError, match="lack 2 layers") as error:
        load_trunk(Base("./damaged", folder), "sdpa")
    assert FIRST in error.value.message and SECOND in error.value.message
    assert "./damaged" in error.value.message and error.value.hint


def test_of_many_missing_layers_the_first_five_are_named(changed):
    with pytest.raises(RunnerError, match=r"lack 16 layers") as error:
        load_trunk(Base("./damaged", changed(without("layer.0"))), "sdpa")
    assert error.value.message.count("encoder.layer.0") == 5 and error.value.message.endswith("...")


def test_a_layer_of_another_shape_is_named(changed):
    folder = changed(lambda weights: weights | {FIRST: torch.zeros(16, 8)})
    with pytest.raises(RunnerError, match=FIRST):
        load_trunk(Base("./damaged", folder), "sdpa")


def test_weights_without_a_pooler_are_whole(changed):
    net = network(changed(without("pooler")))
    assert not [name for name, _ in net.named_parameters() if "pooler" in name]


@pytest.mark.parametrize("adapter", [None, LORA])
def test_all_parameters_are_fp32_whatever_the_folder_holds(changed, adapter):
    net = network(changed(lambda weights: {name: value.half() for name, value in weights.items()}), adapter=adapter)
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}


@pytest.mark.parametrize("adapter", [None, LORA])
def test_fresh_weights_follow_from_the_seed_alone(encoder, adapter):
    torch.manual_seed(5)
    first = weights_of(network(encoder, seed=1, adapter=adapter))
    torch.manual_seed(6)
    assert same(first, weights_of(network(encoder, seed=1, adapter=adapter)))
    assert same(first, weights_of(network(encoder, seed=1, adapter=adapter, packing=False)))
    other = weights_of(network(encoder, seed=2, adapter=adapter))
    assert not torch.equal(first["heads.mood.weight"], other["heads.mood.weight"])
    assert not torch.equal(first["heads.size.bias"], other["heads.size.bias"])


def test_the_order_of_the_tasks_changes_no_head(encoder):
    first, second = (
        network(encoder, {name: LABELS[name] for name in order}) for order in (("mood", "size"), ("size", "mood"))
    )
    assert same(dict(first.heads.named_parameters()), dict(second.heads.named_parameters()))


def test_each_head_answers_with_a_logit_a_label(encoder):
    net = network(encoder).eval()
    found = net(batch([4, 6, 5], packed=True), ("size", "mood"))
    assert {task: tuple(logits.shape) for task, logits in found.items()} == {"size": (3, 3), "mood": (3, 2)}
    assert list(net(batch([4], packed=True), ("mood",))) == ["mood"]


@pytest.mark.parametrize(
    "name",
    [
        "mood",
        pytest.param(
            "type"
        ),
        pytest.param(
            "mood-v2"
        ),
    ],
)  # fmt: skip
def test_a_task_may_have_any_name_that_a_spec_allows(encoder, name):
    net = network(encoder, {name: ("no", "yes")})
    assert list(net(batch([4], packed=True), (name,))) == [name]


def test_pooling_literal():
    tokens = torch.tensor([[1.0, 2.0], [3.0, 6.0], [5.0, 7.0], [0.0, 1.0], [1.0, 1.0], [2.0, 4.0]])
    lengths = torch.tensor([2, 1, 3])
    assert pool(tokens, lengths, "mean").tolist() == [[2.0, 4.0], [5.0, 7.0], [1.0, 2.0]]
    assert pool(tokens, lengths, "cls").tolist() == [[1.0, 2.0], [5.0, 7.0], [0.0, 1.0]]

    assert pool(tokens, lengths, "max").tolist() == [[3.0, 6.0], [5.0, 7.0], [2.0, 4.0]]
    assert pool(-tokens, lengths, "max").tolist() == [[-1.0, -2.0], [-5.0, -7.0], [0.0, -1.0]]
    query = torch.tensor([0.0, math.log(2) / 2])
    found = pool(tokens, lengths, "attention", query)
    torch.testing.assert_close(found[0], torch.tensor([(1 * 1 + 3 * 4) / 5, (2 * 1 + 6 * 4) / 5]))
    torch.testing.assert_close(found[1], tokens[2])
    torch.testing.assert_close(pool(tokens, lengths, "attention", torch.zeros(2)), pool(tokens, lengths, "mean"))


POOLINGS = ("mean", "cls", "max", "attention")


def pooled(encoder: Path, how: str, *, packing: bool = True) -> Network:
    """A network whose query, if it has one, prefers some tokens."""
    net = network(encoder, pooling=how, packing=packing).eval()
    if net.query is not None:
        net.query.data.copy_(torch.linspace(-2, 2, 16))
    return net


def test_the_spec_chooses_the_pooling(encoder):
    texts = batch([4, 6], packed=True)
    found = [pooled(encoder, how)(texts, ("mood",))["mood"] for how in POOLINGS]
    assert not any(torch.allclose(one, two, atol=1e-3) for one, two in itertools.combinations(found, 2))


@pytest.mark.parametrize("how", POOLINGS)
def test_each_pooling_gives_a_text_one_vector_packed_padded_or_alone(encoder, how):
    packed, padded = (pooled(encoder, how, packing=flag) for flag in (True, False))
    assert packed.packed and not padded.packed
    lengths = [4, 9, 3]
    with torch.no_grad():
        found = packed(batch(lengths, packed=True), ("mood",))["mood"]
        torch.testing.assert_close(found, padded(batch(lengths, packed=False), ("mood",))["mood"], atol=1e-5, rtol=1e-5)
        first = packed(batch(lengths[:1], packed=True), ("mood",))["mood"]
    torch.testing.assert_close(first, found[:1], atol=1e-5, rtol=1e-5)


def test_the_query_of_attention_pooling_is_trained_and_stands_alone(encoder):
    net = network(encoder, pooling="attention")
    assert set(net.trainable()) - set(network(encoder).trainable()) == {"query"}
    some_steps(net)
    assert float(net.query.detach().abs().min()) > 0
    assert network(encoder, pooling="max").query is None


def some_steps(net: torch.nn.Module) -> None:
    """Three steps of plain gradient descent on every trainable weight."""
    net.train()
    optimizer = torch.optim.SGD(net.trainable().values(), lr=0.5)
    for seed in range(3):
        optimizer.zero_grad()
        logits = net(batch([4, 6, 5], packed=net.packed, seed=seed), tuple(LABELS))
        sum(each.square().sum() for each in logits.values()).backward()
        optimizer.step()


def test_training_changes_everything_but_the_pooler(encoder):
    net = network(encoder)
    before = weights_of(net)
    some_steps(net)
    after = weights_of(net)
    still = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if "pooler" in name} == {"trunk.pooler.dense.weight", "trunk.pooler.dense.bias"}
    assert still == {name for name in before if "pooler" in name}


def test_lora_trains_its_adapter_and_the_heads_and_leaves_the_base_alone(encoder):
    net = network(encoder, adapter=LORA)
    before = weights_of(net)
    some_steps(net)
    after = weights_of(net)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {name for name in net.trainable() if "pooler" not in name}
    assert {name for name in moved if ".lora_" not in name} == {
        f"heads.{t}.{w}" for t in LABELS for w in ("weight", "bias")
    }
    stored = load_file(encoder / "model.safetensors")
    base = {name.replace(".base_layer", ""): value for name, value in after.items() if ".lora_" not in name}
    assert same(stored, {name: base[f"trunk.base_model.model.{name}"] for name in stored})


def test_lora_starts_as_the_plain_network(encoder):
    texts = batch([4, 9], packed=True)
    plain, adapted = network(encoder).eval(), network(encoder, adapter=LORA).eval()
    adapted.heads.load_state_dict(plain.heads.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(plain(texts, ("mood",)), adapted(texts, ("mood",)))


FROZEN = [
    ({"embeddings": True}, {0}),
    ({"layers": 1}, {1}),
    ({"embeddings": True, "layers": 1}, {0, 1}),
    ({"layers": "all"}, {0, 1, 2}),
]


@pytest.mark.parametrize("used", [None, np.arange(5, 33)])
@pytest.mark.parametrize(("freeze", "still"), FROZEN)
def test_what_is_frozen_gets_no_gradient_and_does_not_move(encoder, freeze, still, used):
    net = network(encoder, freeze=freeze, used=used)
    assert {net.depth(name) for name in net.trainable() if name.startswith("trunk.")} == {0, 1, 2} - still
    before = weights_of(net)
    some_steps(net)
    moved = {name for name, value in weights_of(net).items() if not torch.equal(value, before[name])}
    assert moved == set(net.trainable())
    assert moved >= {"heads.mood.weight", "heads.size.bias"}
    assert {name for name, parameter in net.named_parameters() if parameter.grad is not None} == moved


def test_what_thaws_rests_before_and_learns_after(encoder):
    net = network(encoder, freeze={"layers": "all", "thaw": 2, "thaw_by": "layer"}, used=np.arange(5, 33))
    everything = set(network(encoder).trainable())
    for epoch, still in [(1, {0, 1, 2}), (2, {0, 1}), (3, {0}), (4, set()), (1, {0, 1, 2})]:
        net.begin(epoch)
        assert set(net.trainable()) == everything
        learning = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
        assert {net.depth(name) for name in everything - learning} == still
        assert learning >= {"heads.mood.weight", "heads.size.bias"}


def test_fresh_layers_are_drawn_as_the_architecture_draws_them_and_all_else_stays(encoder):
    plain, net = weights_of(network(encoder)), weights_of(network(encoder, reinitialise=1))
    changed = {name for name in plain if not torch.equal(plain[name], net[name])}
    assert changed == {name for name in plain if "layer.1" in name and name.endswith("weight") and "Norm" not in name}
    drawn = torch.cat([net[name].flatten() for name in sorted(changed)])
    assert float(drawn.mean()) == pytest.approx(0, abs=2e-3)
    assert float(drawn.std()) == pytest.approx(0.02, rel=0.1)
    assert set(network(encoder).trainable()) == set(network(encoder, reinitialise=1).trainable())


def test_fresh_layers_follow_from_the_seed_alone(encoder):
    torch.manual_seed(5)
    first = weights_of(network(encoder, reinitialise=2, seed=1))
    torch.manual_seed(6)
    assert same(first, weights_of(network(encoder, reinitialise=2, seed=1)))
    assert same(first, weights_of(network(encoder, reinitialise=2, seed=1, packing=False)))
    other = weights_of(network(encoder, reinitialise=2, seed=2))
    assert not any(torch.equal(first[name], other[name]) for name in first if "layer.1.output.dense.weight" in name)


def test_biases_and_norms_of_fresh_layers_begin_anew(changed):
    folder = changed(lambda weights: {name: value + 0.5 for name, value in weights.items()})
    net = weights_of(network(folder, reinitialise=1))
    fresh = {name: value for name, value in net.items() if "layer.1" in name and value.ndim == 1}
    assert all(bool((value == ("Norm.weight" in name)).all()) for name, value in fresh.items())
    assert not any(bool((net[name.replace("layer.1", "layer.0")] == fresh[name]).any()) for name in fresh)


def test_each_task_learns_by_its_own_adapter(encoder):
    net = network(encoder, adapter={"type": "lora", "rank": 2, "per_task": True}).train()
    one = batch([4, 7, 5], packed=net.packed)
    net(one, ("mood",))["mood"].sum().backward()
    touched = {name for name, each in net.named_parameters() if each.grad is not None and "lora_" in name}
    assert touched and all(".mood." in name for name in touched)
    assert {name.replace(".mood.", ".size.") for name in touched} <= net.trainable().keys()
    with torch.no_grad():
        before = net.eval()(one, ("mood", "size"))
        for name, each in net.named_parameters():
            if ".size." in name and "lora_B" in name:
                each += 1
        after = net(one, ("size", "mood"))
    assert torch.equal(before["mood"], after["mood"]) and not torch.allclose(before["size"], after["size"])
