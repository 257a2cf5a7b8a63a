"""Averages of weights: their values, that they stand in for the weights only while asked, and exact resume."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Interrupted
from runner.model.save import load
from runner.spec.tables import Average
from runner.train import state
from runner.train.average import Running
from runner.train.fit import quiet
from tests.model.test_save import TEXTS, export, probabilities
from tests.model.tiny import network, same, weights_of
from tests.train.test_fit import BATCHES, scored, train

values = st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def calm() -> None:
    quiet()


def w(value: float) -> dict[str, torch.Tensor]:
    return {"w": torch.tensor([value, -value])}


def means(rule: Average, found: list[float]) -> list[float]:
    """The average after each value, one step an epoch."""
    running, seen = Running(rule), []
    for value in found:
        running.step(w(value))
        running.epoch(w(value))
        mean = running.mean("w")
        assert float(mean[1]) == -float(mean[0])
        seen.append(float(mean[0]))
    return seen


def test_the_mean_of_the_last_epochs_literal():
    assert means(Average(last=2), [1.0, 3.0, 7.0, 2.0]) == [1.0, 2.0, 5.0, 4.5]
    assert means(Average(last=3), [1.0, 3.0, 8.0, 4.0]) == [1.0, 2.0, 4.0, 5.0]


def test_the_moving_average_literal():
    """The second step keeps 3 / 12, the third 4 / 13, until the decay is smaller."""
    assert means(Average(ema=0.9), [1.0, 3.0, 3.0]) == pytest.approx([1.0, 2.5, 2.5 * 4 / 13 + 3 * 9 / 13])
    assert means(Average(ema=0.2), [1.0, 3.0, 3.0]) == pytest.approx([1.0, 2.6, 2.92])


@given(values, st.floats(0.01, 0.99) | st.integers(2, 5))
def test_an_average_lies_among_what_it_averages(found, rule):
    average = Average(last=rule) if isinstance(rule, int) else Average(ema=rule)
    for count, mean in enumerate(means(average, found), 1):
        assert min(found[:count]) - 1e-3 <= mean <= max(found[:count]) + 1e-3


@given(values, st.integers(1, 5))
def test_equal_weights_are_their_own_average(found, count):
    assert means(Average(last=2), [found[0]] * count) == pytest.approx([found[0]] * count)
    assert means(Average(ema=0.5), [found[0]] * count) == pytest.approx([found[0]] * count)


@pytest.mark.parametrize("fields", [{}, {"ema": 0.9, "last": 2}, {"ema": 1.0}, {"ema": 0.0}, {"last": 1}], ids=str)
def test_an_average_is_one_of_two(fields):
    with pytest.raises(ValueError, match="validation error"):
        Average.model_validate(fields)


def test_weights_come_back_with_their_bits():
    running, weights = Running(Average(last=2)), w(1.5)
    running.epoch(w(0.5))
    running.epoch(weights)
    running.enter(weights)
    assert weights["w"].tolist() == [1.0, -1.0]
    running.leave(weights)
    assert weights["w"].tolist() == [1.5, -1.5]


def test_validation_and_the_best_weights_are_those_of_the_average(encoder, tmp_path, monkeypatch):
    """Training itself goes its way as if nothing were averaged."""
    plain, net = network(encoder), network(encoder)
    with scored(monkeypatch, [0.1, 0.2, 0.3]) as own:
        train(plain, tmp_path / "plain", epochs=3)
    with scored(monkeypatch, [0.1, 0.2, 0.3]) as kept:
        train(net, tmp_path / "mean", epochs=3, average={"last": 2})
    assert same(kept[0], own[0])
    for name in net.trainable():
        torch.testing.assert_close(kept[2][name], (own[1][name] + own[2][name]) / 2, atol=1e-7, rtol=1e-6)
    assert same(weights_of(net), kept[2]) and not same(kept[2], own[2])
    saved, expected = (state.load(tmp_path / each / "state.pt")["weights"] for each in ("mean", "plain"))
    assert same(saved, expected)


def test_an_average_of_the_embeddings_in_use_validates_as_that_of_all(encoder, tmp_path):
    curves: list[list[dict[str, Any]]] = [[], []]
    for events, used in zip(curves, (None, np.arange(33)), strict=True):
        net = network(encoder, used=used)
        train(net, tmp_path / str(used is None), events=events, average={"ema": 0.8}, weight_decay=0.0)
    losses = [[each["values"]["loss"] for each in events] for events in curves]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_the_moving_average_counts_optimizer_steps(encoder, tmp_path):
    train(network(encoder), tmp_path, epochs=2, accumulate=4, average={"ema": 0.9})
    assert state.load(tmp_path / "state.pt")["average"]["steps"] == 2 * 2
    train(network(encoder), tmp_path / "each", epochs=1, average={"ema": 0.9})
    assert state.load(tmp_path / "each" / "state.pt")["average"]["steps"] == BATCHES


@pytest.mark.parametrize(
    ("average", "stop_at"), [({"ema": 0.8}, 1), ({"ema": 0.8}, 10), ({"last": 2}, 6), ({"last": 2}, 10)], ids=str
)
def test_an_interrupted_average_goes_on_to_the_same_bits(encoder, tmp_path, average, stop_at):
    options: dict[str, Any] = {"epochs": 3, "average": average}
    whole, events = network(encoder, dropout=0.3), []
    train(whole, tmp_path / "whole", events=events, **options)
    curve: list[dict[str, Any]] = []
    with pytest.raises(Interrupted):
        train(network(encoder, dropout=0.3), tmp_path / "cut", events=curve, stop_at=stop_at, **options)
    resumed = network(encoder, dropout=0.3, seed=99)
    train(resumed, tmp_path / "cut", events=curve, **options)
    assert same(weights_of(resumed), weights_of(whole))
    assert curve == events


def test_the_exported_weights_are_the_average(encoder, tmp_path):
    net = network(encoder)
    train(net, tmp_path / "state", average={"ema": 0.9})
    folder = export(net.eval(), tmp_path / "model", encoder)
    best = state.load(tmp_path / "state" / "best" / "best.pt")["weights"]
    found = load(folder)
    assert same({name: each for name, each in weights_of(found.network).items() if name in best}, best)
    assert not same(best, state.load(tmp_path / "state" / "state.pt")["weights"])
    expected = probabilities(net, folder, TEXTS)["mood"]
    assert [list(each["mood"].values()) for each in found(TEXTS)] == [
        pytest.approx(each, abs=1e-5) for each in expected
    ]
