"""Balance of losses: learned weights, projected gradients, both exact with accumulation and after a resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import Interrupted, RunnerError
from runner.plan.estimate import parameters
from runner.run.experiment import prepare
from runner.train import state
from runner.train.balance import Projection, Uncertainty, project
from runner.train.order import draws
from tests.model.tiny import network, same, weights_of, without_dropout
from tests.plan.test_check import change, look, only, text_at
from tests.train.test_fit import PROPORTIONAL, TRAIN, WEIGHTS, Events, calm, gradients_of_steps, train  # noqa: F401

numbers = st.floats(-9, 9, width=32)


def projected(*vectors: list[float], seed: int = 0) -> tuple[list[float], float]:
    found, conflicts = project([torch.tensor(each) for each in vectors], np.random.default_rng(seed))
    return found.tolist(), conflicts


def test_projection_literal():
    """(1, 0) loses its part along (-1, 1): (0.5, 0.5); the other its part along (1, 0): (0, 1)."""
    assert projected([1.0, 0.0], [-1.0, 1.0]) == ([0.5, 1.5], 1.0)
    assert projected([1.0, 0.0], [0.0, 1.0]) == ([1.0, 1.0], 0.0)
    assert projected([2.0, 0.0], [-1.0, 0.0]) == ([0.0, 0.0], 1.0)
    assert projected([1.0, 0.0]) == ([1.0, 0.0], 0.0)
    assert projected([1.0, 0.0], [0.0, 0.0], [-1.0, 1.0]) == ([0.5, 1.5], pytest.approx(1 / 3))


@given(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=2, max_size=2))
@settings(deadline=None)
def test_of_two_tasks_neither_is_worse_off(vectors):
    found, _ = projected(*vectors)
    for each in vectors:
        product = float(np.dot(found, each))
        assert product >= -1e-3 * max(np.dot(each, each), 1)


@given(st.lists(st.lists(st.floats(0, 9, width=32), min_size=3, max_size=3), min_size=1, max_size=4))
@settings(deadline=None)
def test_without_conflict_the_gradients_are_summed(vectors):
    found, conflicts = projected(*vectors)
    assert found == pytest.approx(np.sum(vectors, 0).tolist(), abs=1e-4)
    assert conflicts == 0


def test_the_order_of_projections_is_seeded():
    vectors = [[1.0, 0.2, 0.0], [-1.0, 1.0, 0.3], [-0.2, -1.0, 1.0]]
    found = [projected(*vectors, seed=seed)[0] for seed in range(12)]
    assert found == [projected(*vectors, seed=seed)[0] for seed in range(12)]
    assert len({tuple(each) for each in found}) > 1


def test_uncertainty_literal():
    balance = Uncertainty(["mood", "size"])
    losses = torch.tensor([1.0, 3.0])
    assert balance("mood", losses).tolist() == [1.0, 3.0]
    torch.nn.init.constant_(balance.log_variances["mood"], float(np.log(2)))
    assert balance("mood", losses).tolist() == pytest.approx([0.5 + np.log(2) / 2, 1.5 + np.log(2) / 2])
    assert (balance.weight("mood"), balance.weight("size")) == (pytest.approx(0.5), 1.0)


def test_the_learned_weight_of_a_constant_loss_is_half_its_inverse():
    """exp(-s) L + s / 2 is least where exp(-s) = 1 / (2 L)."""
    balance = Uncertainty(["mood"])
    optimizer = torch.optim.Adam(balance.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        balance("mood", torch.full((4,), 2.0)).mean().backward()
        optimizer.step()
    assert balance.weight("mood") == pytest.approx(0.25, rel=0.01)


def terms_of(net: Any, rows: list[int]) -> dict[str, torch.Tensor]:
    """The mean loss of each task over these rows, as one batch."""
    batch = TRAIN["films:text"].batch(rows, packed=net.packed, pad_id=0)
    logits, target = net(batch, ("mood", "size")), batch.targets
    weighted = torch.tensor(WEIGHTS["mood"])[target["mood"]]
    mood = torch.nn.functional.cross_entropy(logits["mood"], target["mood"], reduction="none") * weighted
    return {"mood": mood.mean(), "size": torch.nn.functional.cross_entropy(logits["size"], target["size"])}


def steps_of(accumulate: int) -> list[list[int]]:
    """The rows of each optimizer step of the first epoch."""
    order = draws(TRAIN, PROPORTIONAL, 3, 0, batch_size=4, accumulate=accumulate, grouped=True)
    return [
        [row for draw in order[start : start + accumulate] for row in draw.rows]
        for start in range(0, len(order), accumulate)
    ]


@pytest.mark.parametrize("accumulate", [1, 4])
def test_gradients_are_projected_once_an_optimizer_step(encoder, tmp_path, accumulate):
    """As those of the step's rows in one batch; heads keep the gradients of their tasks."""
    net = without_dropout(network(encoder))
    options = {"accumulate": accumulate, "epochs": 1, "learning_rate": 1e-30, "clip_norm": None}
    events: Events = []
    with gradients_of_steps(net) as found:
        train(net, tmp_path, loss_balance="pcgrad", events=events, **options)
    assert len(found) == len(steps_of(accumulate))
    net.train()
    names = list(net.trainable())
    shared = [name for name in names if not name.startswith("heads.")]
    for step, (rows, gradients) in enumerate(zip(steps_of(accumulate), found, strict=True)):
        each = {}
        for task in ("mood", "size"):
            made = torch.autograd.grad(terms_of(net, rows)[task], list(net.trainable().values()), allow_unused=True)
            each[task] = dict(zip(names, made, strict=True))
        vectors = [
            torch.cat([each[task][name].flatten() for name in shared if each[task][name] is not None]) for task in each
        ]
        whole, _ = project(vectors, np.random.default_rng([3, step, 2**21]))
        mine = torch.cat([gradients[name].flatten() for name in shared if name in gradients])
        torch.testing.assert_close(mine, whole, atol=1e-6, rtol=1e-4)
        for name in set(names) - set(shared):
            torch.testing.assert_close(gradients[name], each[name.split(".")[1]][name], atol=1e-6, rtol=1e-4)
    assert 0 <= events[0]["values"]["conflicts"] <= 1


def test_tasks_that_are_opposed_leave_the_trunk_where_it_is():
    """Two tasks of opposite gradients: both are projected away; their heads are trained all the same."""
    trunk, heads = torch.nn.Linear(2, 1, bias=False), torch.nn.ParameterDict({"a": torch.ones(1), "b": torch.ones(1)})
    net = torch.nn.ModuleDict({"trunk": trunk, "heads": torch.nn.ModuleDict({"all": torch.nn.Identity()})})
    net["heads"].own = heads
    out = trunk(torch.tensor([1.0, 2.0]))
    projection = Projection(net)
    projection.add({"a": (heads["a"] * out).sum(), "b": -(2 * heads["b"] * out).sum()})
    assert projection.settle(np.random.default_rng(0)) == 1.0
    assert trunk.weight.grad.abs().max() == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(heads["a"].grad, out.detach())
    torch.testing.assert_close(heads["b"].grad, -2 * out.detach())
    assert projection.gradients == {}


def test_log_variances_learn_at_their_own_rate(encoder, tmp_path):
    events: Events = []
    net = without_dropout(network(encoder))
    with gradients_of_steps(net) as found:
        train(
            net,
            tmp_path,
            loss_balance="uncertainty",
            balance_rate=0.5,
            events=events,
            epochs=1,
            learning_rate=1e-9,
            clip_norm=None,
        )
    net.train()
    rows = steps_of(1)[0]
    for task, loss in terms_of(net, rows).items():
        gradient = found[0][f"balance.log_variances.{task}"]
        assert float(gradient) == pytest.approx(0.5 - float(loss.detach()), abs=1e-4)
    saved = state.load(tmp_path / "state.pt")["weights"]
    for task in ("mood", "size"):
        assert float(saved[f"balance.log_variances.{task}"]) > 0.5
        assert events[0]["values"][f"{task}.weight"] == pytest.approx(np.exp(-0.5))  # AdamW's first step is the rate


@pytest.mark.parametrize("balance", ["uncertainty", "pcgrad"])
@pytest.mark.parametrize(("accumulate", "stop_at"), [(2, 1), (1, 10)])
def test_an_interrupted_fit_goes_on_to_the_same_bits(encoder, tmp_path, balance, stop_at, accumulate):
    options = {"epochs": 2, "accumulate": accumulate, "loss_balance": balance}
    whole, events = network(encoder, dropout=0.3), []
    train(whole, tmp_path / "whole", events=events, **options)
    curve: Events = []
    with pytest.raises(Interrupted, match="saved"):
        train(network(encoder, dropout=0.3), tmp_path / "cut", events=curve, stop_at=stop_at, **options)
    resumed = network(encoder, dropout=0.3, seed=99)
    train(resumed, tmp_path / "cut", events=curve, **options)
    assert same(weights_of(resumed), weights_of(whole))
    assert curve == events


@pytest.mark.parametrize("balance", ["fixed", "uncertainty", "pcgrad"])
def test_a_loss_that_is_no_number_is_told_by_its_task(encoder, tmp_path, balance):
    net = network(encoder)
    calls = iter(range(99))
    net.heads["size"].register_forward_hook(lambda module, given, out: out * (float("nan") if next(calls) == 2 else 1))
    with pytest.raises(RunnerError, match=r"of `size` is not a number at step 3$"):
        train(net, tmp_path, loss_balance=balance)


def test_log_variances_are_counted(tiny: Path) -> None:
    before = parameters(prepare(tiny, tiny.parent / "results").checked)
    change(tiny, "epochs = 3", 'epochs = 3\nloss_balance = "uncertainty"')
    after = parameters(prepare(tiny, tiny.parent / "results").checked)
    assert (after.total - before.total, after.trainable - before.trainable) == (2, 2)


def test_one_task_alone_is_not_balanced(tiny: Path) -> None:
    text = tiny.read_text(encoding="utf-8")
    start, end = text.index("[tasks.length]"), text.index("[train]")
    tiny.write_text(
        text[:start] + text[end:].replace("epochs = 3", 'epochs = 3\nloss_balance = "pcgrad"'), encoding="utf-8"
    )
    fault = only(tiny)
    assert (fault.message, text_at(tiny, fault)) == (
        "`pcgrad` has but one task: there is nothing to balance",
        '"pcgrad"',
    )


def test_tasks_that_never_meet_in_a_step_are_not_projected(tiny: Path) -> None:
    change(tiny, "[tasks.mood]", '[data.books]\ntrain = "validation.csv"\nvalidation = "test.csv"\n\n[tasks.mood]')
    change(tiny, 'data = ["films"]\ntarget = "size"', 'data = ["books"]\ntarget = "size"')
    change(tiny, "epochs = 3", 'epochs = 3\nloss_balance = "pcgrad"')
    fault = only(tiny)
    assert fault.message == "no two tasks ever meet in one optimizer step: `pcgrad` would project nothing"
    assert text_at(tiny, fault) == '"pcgrad"'
    change(tiny, "epochs = 3", "epochs = 3\naccumulate = 2")
    assert look(tiny).warnings == ()
    change(tiny, "accumulate = 2", "accumulate = 1")
    change(tiny, "[evaluate]", '[mixing]\nstrategy = "uniform"\nbatches = "mixed"\n\n[evaluate]')
    assert look(tiny).warnings == ()
