"""Packing never changes a logit or a gradient: it is used where it agrees with padding, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.model.batch import build
from runner.model.dropout import Dropout, Source
from runner.model.network import Network
from runner.model.packing import NAME, alike, arrange, attend
from runner.model.trunk import choose_trunk, tokens_of
from runner.plan.base import Base
from tests.model.tiny import LABELS, batch, network, sequences, without_dropout

TASKS = tuple(LABELS)
lengths = st.lists(st.integers(1, 30) | st.sampled_from([50, 64]), min_size=1, max_size=6)
laws = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)

SMALL: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 96,
    "initializer_range": 0.3,
}
DISTIL: dict[str, Any] = {
    "vocab_size": 40,
    "dim": 16,
    "n_layers": 2,
    "n_heads": 2,
    "hidden_dim": 32,
    "max_position_embeddings": 96,
    "initializer_range": 0.3,
}
NO_SDPA = "load_trunk asks for sdpa also where transformers has only eager attention"
ARCHITECTURES = [
    pytest.param("bert", SMALL, id="bert"),
    pytest.param("roberta", SMALL | {"pad_token_id": 1}, id="roberta"),
    pytest.param("xlm-roberta", SMALL | {"pad_token_id": 1}, id="xlm-roberta"),
    pytest.param("distilbert", DISTIL, id="distilbert"),
    pytest.param("albert", SMALL | {"embedding_size": 16}, id="albert"),
    pytest.param("qwen3", SMALL | {"head_dim": 8, "num_key_value_heads": 2}, id="qwen3"),
    pytest.param("electra", SMALL | {"embedding_size": 16}, id="electra"),
    pytest.param("mpnet", SMALL | {"pad_token_id": 1}, id="mpnet"),
    pytest.param("deberta-v2", SMALL, id="deberta-v2"),
    pytest.param(
        "modernbert",
        SMALL | {"local_attention": 32, "global_attn_every_n_layers": 2, "pad_token_id": 0},
        id="modernbert",
    ),
]


@pytest.fixture(scope="module")
def packed(encoder: Path) -> Network:
    return without_dropout(network(encoder, packing=True))


@pytest.fixture(scope="module")
def padded(encoder: Path) -> Network:
    return without_dropout(network(encoder, packing=False))


def gradients(net: Network, sizes: list[int], seed: int) -> dict[str, torch.Tensor]:
    """Gradients of a loss that every logit enters with a weight of its own."""
    net.zero_grad()
    logits = net(batch(sizes, packed=net.packed, seed=seed), TASKS)
    sum((each * torch.linspace(1, 2, each.numel()).view_as(each)).tanh().sum() for each in logits.values()).backward()
    return {name: parameter.grad for name, parameter in net.named_parameters() if parameter.grad is not None}


def close(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], atol=1e-5, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_this_encoder_is_packed_unless_the_author_says_no(packed, padded):
    assert (packed.packed, padded.packed) == (True, False)
    assert packed.trunk.config._attn_implementation == NAME


@given(lengths, st.integers(0, 99))
@laws
def test_packed_logits_and_gradients_are_the_padded_ones(packed, padded, sizes, seed):
    with torch.no_grad():
        close(*(net(batch(sizes, packed=net.packed, seed=seed), TASKS) for net in (packed, padded)))
    close(gradients(packed, sizes, seed), gradients(padded, sizes, seed))


@given(lengths, st.integers(0, 99))
@settings(laws, max_examples=8)
def test_attention_that_drops_next_to_nothing_is_attention(packed, padded, sizes, seed):
    """A probability that rounds to zero takes the path of dropout and drops nothing."""
    dropping = [each for each in packed.trunk.modules() if isinstance(each, Dropout)]
    try:
        for each in dropping:
            each.p = 1e-9
        close(gradients(packed, sizes, seed), gradients(padded, sizes, seed))
    finally:
        for each in dropping:
            each.p = 0.0


@given(lengths, st.data())
@laws
def test_the_neighbours_in_a_batch_change_no_logit(packed, sizes, data):
    order = data.draw(st.permutations(range(len(sizes))))
    texts = sequences(sizes)
    with torch.no_grad():
        whole, moved = (
            packed(build("s", rows, [texts[row] for row in rows], [sizes[row] for row in rows], {}, packed=True, pad_id=0), TASKS)
            for rows in (list(range(len(sizes))), order)
        )  # fmt: skip
    close({task: values[order] for task, values in whole.items()}, moved)


@pytest.mark.parametrize(("kind", "config"), ARCHITECTURES)
def test_every_architecture_gives_the_vectors_of_each_text_alone(tmp_path, kind, config):
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(0)
    plain = AutoModel.from_config(AutoConfig.for_model(kind, **config)).eval()
    plain.save_pretrained(tmp_path)
    trunk, is_packed = choose_trunk(Base(kind, tmp_path), packing=True)
    sizes = [1, 40, 7, 60]
    texts = sequences(sizes)
    pad_id = config.get("pad_token_id", 0)
    with torch.no_grad():
        found = tokens_of(
            trunk.eval(), build("s", range(4), texts, sizes, {}, packed=is_packed, pad_id=pad_id), Source()
        )
        alone = [plain(input_ids=torch.from_numpy(text)[None]).last_hidden_state[0] for text in texts]
    torch.testing.assert_close(found, torch.cat(alone), atol=1e-5, rtol=1e-5)


def test_layout_literal():
    layout, positions = arrange(torch.tensor([2, 1, 3]), Source())
    assert positions.tolist() == [[0, 1, 0, 0, 1, 2]]
    (band,) = layout.bands
    assert band.gather.tolist() == [0, 1, 1, 2, 2, 2, 3, 4, 5]
    assert layout.scatter.tolist() == [0, 1, 3, 6, 7, 8]
    assert (band.examples, band.longest) == (3, 3)
    shut = band.bias.view(3, 3) == float("-inf")
    assert shut.tolist() == [[False, False, True], [False, True, True], [False, False, False]]


def test_bands_literal():
    """A band goes down to 0.85 of its longest text; 48 tokens and less are one band."""
    assert alike([30, 100, 60, 59, 48, 2, 200]) == [[6], [1], [2, 3], [0, 4, 5]]
    assert alike([48, 1, 2]) == [[0, 1, 2]]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
@settings(deadline=None)
def test_every_token_has_one_place_in_one_band(sizes):
    layout, _ = arrange(torch.tensor(sizes), Source())
    places = torch.cat([band.gather for band in layout.bands])
    assert places[layout.scatter].tolist() == list(range(sum(sizes)))
    attended = torch.cat([band.bias.reshape(-1) == 0 for band in layout.bands])
    assert sorted(layout.scatter.tolist()) == attended.nonzero()[:, 0].tolist()
    assert sum(band.examples * band.longest for band in layout.bands) <= max(sum(sizes) / 0.85, 48 * len(sizes)) + 1


def test_packed_attention_without_its_layout_is_refused():
    tensor = torch.zeros(1, 2, 3, 4)
    with pytest.raises(ValueError, match="layout"):
        attend(torch.nn.Identity(), tensor, tensor, tensor, None)


def test_dropout_drops_attention_in_training_alone(encoder):
    net = network(encoder)
    texts = batch([5, 9], packed=True)
    with torch.no_grad():
        runs = []
        for mode in (True, True, False, False):
            net.train(mode).source.reseed(len(runs))
            runs.append(net(texts, TASKS)["mood"])
    assert not torch.equal(runs[0], runs[1])
    assert torch.equal(runs[2], runs[3])
