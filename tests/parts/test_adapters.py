"""What the adapters hand to peft."""

import pytest
import torch

from runner import kinds
from runner.model.save import load
from runner.parts.adapters._adapter import Sizes
from tests.model.test_save import TEXTS, export, own_vectors, probabilities, vectors
from tests.model.tiny import LABELS, batch, network, weights_of


def lora(**fields):
    return kinds.pick("adapters", "lora").model_validate({"type": "lora", **fields})


@pytest.mark.parametrize(
    "fields,expected",
    [
        ({}, (8, 16.0, 0.0, "all-linear")),
        ({"rank": 4, "alpha": 8.5, "dropout": 0.25, "targets": ["query", "value"]}, (4, 8.5, 0.25, {"query", "value"})),
    ],
    ids=["defaults", "all written"],
)
def test_lora_says_the_same_to_peft(fields, expected):
    config = lora(**fields).config()
    assert (config.r, config.lora_alpha, config.lora_dropout, config.target_modules) == expected
    assert config.peft_type == "LORA"
    assert config.bias == "none"


@pytest.mark.parametrize("switch,said", [("rslora", "use_rslora"), ("dora", "use_dora")])
def test_the_switches_of_lora_are_those_of_peft(switch, said):
    assert (getattr(lora().config(), said), getattr(lora(**{switch: True}).config(), said)) == (False, True)


def test_the_update_of_rank_stabilised_lora_is_scaled_by_the_root_of_the_rank(encoder):
    fields = {"type": "lora", "rank": 4, "alpha": 6.0, "targets": ["query"]}
    scales = [
        [module.scaling["default"] for module in network(encoder, adapter=each).modules() if hasattr(module, "scaling")
         and isinstance(module.scaling, dict)]
        for each in (fields, fields | {"rslora": True})
    ]  # fmt: skip
    assert scales == [[1.5, 1.5], [3.0, 3.0]]


LINEARS = {"layer.0.key": (4, 4), "layer.0.attention.output.dense": (4, 4), "layer.0.output.dense": (4, 8)}


@pytest.mark.parametrize(
    "fields,count",
    [
        ({"type": "lora", "rank": 2}, 2 * (8 + 8 + 12)),
        ({"type": "lora", "rank": 2, "dora": True}, 2 * (8 + 8 + 12) + 12),
        ({"type": "lora", "rank": 3, "targets": ["key"]}, 3 * 8),
        ({"type": "ia3", "targets": ["key"]}, 4 + 4 + 8),
        ({"type": "ia3", "targets": ["key", "dense"], "feedforward": []}, 12),
        ({"type": "ia3", "targets": ["key"], "feedforward": ["attention.output.dense"]}, 8),
    ],
    ids=str,
)
def test_weights_of_an_adapter_literal(fields, count):
    assert kinds.pick("adapters", fields["type"]).model_validate(fields).parameters(LINEARS, Sizes(16, 2, 8)) == count


ADAPTERS = [
    {"type": "lora", "rank": 2, "rslora": True},
    {"type": "lora", "rank": 2, "dora": True},
    {"type": "lora", "rank": 2, "dora": True, "dropout": 0.5},
    {"type": "ia3"},
    {"type": "ia3", "targets": ["query", "dense"], "feedforward": []},
]
every = pytest.mark.parametrize("adapter", ADAPTERS, ids=str)


def moved(encoder, adapter, packing=True):
    """A network whose adapter says something, the same for equal arguments."""
    net = network(encoder, adapter=adapter, packing=packing).eval()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in net.trainable().values():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return net


@every
def test_an_adapter_begins_as_the_plain_network(encoder, adapter):
    texts = batch([4, 9], packed=True)
    plain, adapted = network(encoder).eval(), network(encoder, adapter=adapter).eval()
    adapted.heads.load_state_dict(plain.heads.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(plain(texts, ("mood",)), adapted(texts, ("mood",)), atol=1e-5, rtol=1e-5)


@every
def test_an_adapter_computes_packed_as_padded(encoder, adapter):
    packed, padded = (moved(encoder, adapter, flag) for flag in (True, False))
    assert packed.packed and not padded.packed
    with torch.no_grad():
        found, expected = (net(batch([4, 9, 3], packed=net.packed), ("mood",)) for net in (packed, padded))
        plain = network(encoder).eval()
        plain.heads.load_state_dict(packed.heads.state_dict())
        before = plain(batch([4, 9, 3], packed=True), ("mood",))
    torch.testing.assert_close(found, expected, atol=2e-6, rtol=2e-6)
    assert not torch.allclose(found["mood"], before["mood"], atol=2e-4, rtol=0)


@every
def test_only_adapter_and_heads_are_trained_and_the_base_stays(encoder, adapter):
    net = network(encoder, adapter=adapter)
    before = weights_of(net)
    optimizer = torch.optim.SGD(net.train().trainable().values(), lr=0.5)
    for seed in range(3):
        optimizer.zero_grad()
        sum(
            each.square().sum() for each in net(batch([4, 6], packed=True, seed=seed), tuple(LABELS)).values()
        ).backward()
        optimizer.step()
    after = weights_of(net)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in net.trainable() if "pooler" not in name}
    assert all(name.startswith("heads.") or ".lora_" in name or ".ia3_l." in name for name in changed)


@every
def test_an_exported_adapter_answers_as_it_did_and_plain_peft_reads_it(encoder, tmp_path, adapter):
    from peft import PeftModel
    from transformers import AutoModel

    net = moved(encoder, adapter)
    folder = export(net, tmp_path / "model", encoder, adapter)
    assert not (folder / "model.safetensors").exists()
    expected = probabilities(net, folder, TEXTS)["mood"]
    found = [list(each["mood"].values()) for each in load(folder)(TEXTS)]
    assert found == [pytest.approx(each, abs=1e-5) for each in expected]
    plain = PeftModel.from_pretrained(AutoModel.from_pretrained(encoder), folder).eval()
    torch.testing.assert_close(vectors(plain), own_vectors(net), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "fields", [{"targets": []}, {"targets": "all-linear"}, {"feedforward": [""]}, {"rank": 2}], ids=str
)
def test_ia3_refuses_what_peft_could_not_do(fields):
    with pytest.raises(ValueError, match="validation error"):
        kinds.pick("adapters", "ia3").model_validate({"type": "ia3", **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"rank": 0},
        {"rank": 2.5},
        {"alpha": 0.0},
        {"dropout": 1.0},
        {"targets": []},
        {"targets": [""]},
        {"targets": "all"},
    ],
    ids=str,
)
def test_lora_refuses_what_peft_could_not_do(fields):
    with pytest.raises(ValueError, match="validation error"):
        lora(**fields)
