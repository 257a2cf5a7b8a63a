"""The optimizer: which weights decay, and the course of the learning rate."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.network import Network
from runner.spec.tables import Train
from runner.train.optimizer import adamw, factor
from tests.model.tiny import network

schedules = st.sampled_from(["linear", "cosine", "constant"])


def course(schedule: str, warmup: float, total: int, end: int | None = None) -> list[float]:
    """Factors of the steps from the first to `end`, by default one past the last."""
    train = Train(schedule=schedule, warmup=warmup)
    return [factor(train, step, total) for step in range((total if end is None else end) + 1)]


@pytest.mark.parametrize(
    ("schedule", "warmup", "expected"),
    [
        ("linear", 0.0, [1.0, 0.75, 0.5, 0.25, 0.0]),
        ("cosine", 0.0, [1.0, 0.8535534, 0.5, 0.1464466, 0.0]),
        ("constant", 0.0, [1.0, 1.0, 1.0, 1.0, 1.0]),
        ("linear", 0.5, [0.5, 1.0, 1.0, 0.5, 0.0]),
        ("cosine", 0.5, [0.5, 1.0, 1.0, 0.5, 0.0]),
        ("constant", 0.75, [1 / 3, 2 / 3, 1.0, 1.0, 1.0]),
        ("linear", 0.75, [1 / 3, 2 / 3, 1.0, 1.0, 0.0]),
        ("linear", 0.01, [1.0, 1.0, 2 / 3, 1 / 3, 0.0]),
    ],
)
def test_factors_of_four_steps_literal(schedule, warmup, expected):
    assert course(schedule, warmup, 4) == pytest.approx(expected, abs=1e-6)


@given(schedules, st.floats(0, 0.99), st.integers(1, 200))
@settings(deadline=None)
def test_the_rate_rises_to_its_peak_then_never_again(schedule, warmup, total):
    found = course(schedule, warmup, total)
    peak = found.index(1.0)
    assert all(0 < value <= 1 for value in found[:-1])
    assert found[: peak + 1] == sorted(found[: peak + 1])
    assert found[peak:] == sorted(found[peak:], reverse=True)
    if schedule != "constant" and peak < total - 1:
        assert found[-1] == pytest.approx(0.0)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_past_the_end_the_rate_stays_at_zero(schedule):
    assert course(schedule, 0.2, 10, end=15)[10:] == pytest.approx([0.0] * 6)


@pytest.mark.parametrize(
    ("warmup", "total", "rising"),
    [
        (0.1, 30, 3),
        (0.1, 31, 4),
        (0.5, 7, 4),
        pytest.param(
            0.07, 100, 7
        ),
    ],
)  # fmt: skip
def test_the_warm_up_has_its_share_of_the_steps_rounded_up(warmup, total, rising):
    assert course("constant", warmup, total).index(1.0) == rising - 1


@pytest.mark.parametrize("adapter", [None, {"type": "lora", "rank": 2}, {"type": "ia3"}])
def test_norms_and_biases_do_not_decay(encoder, adapter):
    net = network(encoder, adapter=adapter)
    groups = adamw(net, Train(weight_decay=0.3, learning_rate=0.02)).param_groups
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    decay = {names[id(parameter)]: group["weight_decay"] for group in groups for parameter in group["params"]}
    assert decay.keys() == net.trainable().keys()
    for name, value in decay.items():
        assert value == (0.0 if name.endswith("bias") or "LayerNorm" in name or ".ia3_l." in name else 0.3), name
    assert {group["lr"] for group in groups} == {0.02}
    assert sum(len(group["params"]) for group in groups) == len(decay)


def rates(net: Network, **train: float) -> dict[str, float]:
    """The learning rate of each parameter."""
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    groups = adamw(net, Train(**train)).param_groups
    return {names[id(parameter)]: group["lr"] for group in groups for parameter in group["params"]}


@pytest.mark.parametrize("adapter", [None, {"type": "lora", "rank": 2}])
def test_lower_layers_learn_at_smaller_rates_literal(encoder, adapter):
    found = rates(network(encoder, adapter=adapter), learning_rate=0.1, layer_decay=0.5, head_learning_rate=0.7)
    by_place: dict[str, set[float]] = {}
    for name, rate in found.items():
        place = next(each for each in ("embeddings", "layer.0", "layer.1", "pooler", "heads") if each in name)
        by_place.setdefault(place, set()).add(rate)
    by_place.pop("pooler", None)
    expected = {"embeddings": {0.0125}, "layer.0": {0.05}, "layer.1": {0.1}, "heads": {0.7}}
    assert by_place == {place: rate for place, rate in expected.items() if adapter is None or place != "embeddings"}


def test_by_default_all_learn_at_one_rate_in_two_groups(encoder):
    net = network(encoder)
    assert set(rates(net, learning_rate=0.02).values()) == {0.02}
    assert len(adamw(net, Train()).param_groups) == 2
    assert rates(net, learning_rate=0.02) == rates(net, learning_rate=0.02, head_learning_rate=0.02, layer_decay=1.0)


@cache
def small(encoder: Path) -> Network:
    return network(encoder, pooling="attention")


@given(st.floats(0.1, 1.0), st.floats(1e-6, 1.0), st.sampled_from([None, 0.5, 2.0]))
@settings(deadline=None, max_examples=20)
def test_the_highest_layer_has_the_rate_as_written_and_none_below_more(encoder, decay, rate, head):
    net = small(encoder)
    found = rates(net, learning_rate=rate, layer_decay=decay, **({"head_learning_rate": head} if head else {}))
    by_layer = [{each for name, each in found.items() if "trunk." in name and net.depth(name) == d} for d in range(3)]
    assert by_layer[2] == {rate}
    assert max(by_layer[0]) <= max(by_layer[1]) <= rate
    assert {each for name, each in found.items() if not name.startswith("trunk.")} == {head or rate}
    assert "query" in found
