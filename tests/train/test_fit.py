"""A fit: its gradients, steps and curves, what it keeps when it stops, and the weights it ends with."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from runner.errors import Interrupted, RunnerError
from runner.kinds import pick
from runner.model.network import Network
from runner.model.vocabulary import widen
from runner.train import state
from runner.train.fit import fit, quiet
from runner.train.keep import Keep
from runner.train.order import draws
from tests.model.tiny import LABELS, experiment, network, same, stream, weights_of, without_dropout

PROPORTIONAL = pick("mixing", "proportional").model_validate({})
TRAIN = {"films:text": stream([3 + row * 5 % 9 for row in range(22)], seed=1)}
VALIDATION = {"films:text": stream([4, 6, 5, 9, 3, 4], seed=2)}
BATCHES = 6  # of four rows, the last of two
WEIGHTS = {"mood": [0.5, 1.5], "size": None}

Events = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def calm() -> None:
    quiet()


def train(
    net: Network,
    folder: Path,
    *,
    events: Events | None = None,
    stop: threading.Event | None = None,
    stop_at: int | None = None,
    **options: Any,
) -> Any:
    """Fit on 22 rows, in batches of four unless the options say otherwise; the trainer and the module."""
    stopping = stop or threading.Event()

    def record(kind: str, **fields: Any) -> None:
        if events is not None:
            events.append(fields)
        if fields["step"] == stop_at:
            stopping.set()

    spec = experiment(**{"batch_size": 4, "epochs": 2, "learning_rate": 0.01} | options)
    trainer, module, _ = fit(
        net, spec, {"train": TRAIN, "validation": VALIDATION}, LABELS, WEIGHTS, PROPORTIONAL,
        seed=3, pad_id=0, folder=folder, record=record, stop=stopping, show=False,
    )  # fmt: skip
    return trainer, module


@contextmanager
def gradients_of_steps(net: Network) -> Iterator[list[dict[str, torch.Tensor]]]:
    """The gradients that each optimizer step was taken with."""
    seen: list[dict[str, torch.Tensor]] = []

    def look(*_: Any) -> None:
        seen.append({name: p.grad.clone() for name, p in net.trainable().items() if p.grad is not None})

    handle = register_optimizer_step_post_hook(look)
    try:
        yield seen
    finally:
        handle.remove()


def gradient_of(net: Network, rows: list[int]) -> dict[str, torch.Tensor]:
    """The gradient of the mean loss over these rows, as one batch."""
    net.zero_grad()
    batch = TRAIN["films:text"].batch(rows, packed=net.packed, pad_id=0)
    logits = net(batch, tuple(LABELS))
    weighted = torch.tensor(WEIGHTS["mood"])[batch.targets["mood"]]
    mood = (
        torch.nn.functional.cross_entropy(logits["mood"], batch.targets["mood"], reduction="none") * weighted
    ).mean()
    (mood + torch.nn.functional.cross_entropy(logits["size"], batch.targets["size"])).backward()
    return {name: p.grad.clone() for name, p in net.trainable().items() if p.grad is not None}


@pytest.mark.parametrize(("accumulate", "examples"), [(1, [4, 4, 4, 4, 4, 2]), (4, [16, 6]), (9, [22])])
def test_accumulated_gradients_are_those_of_one_batch(encoder, tmp_path, accumulate, examples):
    """Also where batches and steps are of unequal size; the rate is so small that no weight moves."""
    net = without_dropout(network(encoder))
    with gradients_of_steps(net) as found:
        train(net, tmp_path, accumulate=accumulate, epochs=1, learning_rate=1e-30, clip_norm=None)
    order = draws(TRAIN, PROPORTIONAL, 3, 0, batch_size=4, accumulate=accumulate, grouped=True)
    steps = [order[start : start + accumulate] for start in range(0, len(order), accumulate)]
    assert [sum(len(draw.rows) for draw in step) for step in steps] == examples
    assert len(found) == len(steps)
    net.train()
    for step, gradients in zip(steps, found, strict=True):
        expected = gradient_of(net, [row for draw in step for row in draw.rows])
        assert gradients.keys() == expected.keys()
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, expected[name], atol=1e-6, rtol=1e-5)


def test_gradients_are_clipped_to_the_norm(encoder, tmp_path):
    net = network(encoder)
    with gradients_of_steps(net) as found:
        train(net, tmp_path, epochs=1, clip_norm=0.01)
    norms = [float(torch.stack([each.norm() for each in step.values()]).norm()) for step in found]
    assert norms == pytest.approx([0.01] * BATCHES, rel=1e-3)


@pytest.mark.parametrize(
    ("options", "steps", "place"),
    [
        ({"epochs": 2}, 12, (2, 0)),
        ({"epochs": 2, "accumulate": 4}, 4, (2, 0)),
        ({"epochs": 3, "accumulate": 6}, 3, (3, 0)),
        ({"epochs": 2, "max_steps": 6}, 6, (1, 0)),
        ({"epochs": 1, "max_steps": 99}, 6, (1, 0)),
    ],
)
def test_steps_are_counted(encoder, tmp_path, options, steps, place):
    net = network(encoder)
    with gradients_of_steps(net) as found:
        trainer, module = train(net, tmp_path, **options)
    saved = state.load(tmp_path / "state.pt")
    assert len(found) == trainer.global_step == module.feed.steps == saved["step"] == steps
    assert (saved["epoch"], saved["batch"]) == place


@pytest.mark.parametrize("max_steps", [4, 8])
def test_a_limit_within_an_epoch_ends_with_a_validation(encoder, tmp_path, max_steps):
    events: Events = []
    trainer, _ = train(network(encoder), tmp_path, events=events, max_steps=max_steps)
    assert trainer.global_step == max_steps
    assert [each["step"] for each in events if each["split"] == "validation"][-1] == max_steps


def test_the_curves_have_their_places_and_rates(encoder, tmp_path):
    events: Events = []
    train(network(encoder), tmp_path, events=events, warmup=0.25, accumulate=2, epochs=4)
    assert [(each["split"], each["step"], round(each["epoch"], 3)) for each in events] == [
        ("train", 1, 0.333),
        ("validation", 3, 1.0),
        ("validation", 6, 2.0),
        ("validation", 9, 3.0),
        ("train", 10, 3.333),
        ("validation", 12, 4.0),
    ]
    values = events[0]["values"]
    assert values["loss"] == pytest.approx(values["mood.loss"] + values["size.loss"])
    assert {"combined", "loss", "mood.loss", "size.loss", "mood.macro_f1", "size.accuracy"} <= events[1][
        "values"
    ].keys()


def test_each_step_is_recorded_with_the_rate_it_was_taken_with(encoder, tmp_path):
    events: Events = []
    net = network(encoder)
    rates: list[float] = []
    handle = register_optimizer_step_pre_hook(lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"]))
    try:
        train(net, tmp_path, events=events, warmup=0.25, learning_rate=0.01)
    finally:
        handle.remove()
    assert rates[:4] == pytest.approx([0.01 / 3, 0.02 / 3, 0.01, 0.01])
    recorded = {each["step"]: each["values"]["learning_rate"] for each in events if each["split"] == "train"}
    assert recorded == {step: pytest.approx(rates[step - 1]) for step in (1, 10)}


def test_dropout_works_in_training_and_rests_in_validation(encoder, tmp_path):
    net = network(encoder, dropout=0.5)
    modes: list[tuple[bool, bool]] = []
    net.dropout.register_forward_hook(lambda module, given, out: modes.append((module.training, out is given[0])))
    trainer, module = train(net, tmp_path)
    training, validation = [(True, False)] * BATCHES, [(False, True)]
    assert modes == (training + validation) * 2
    assert {each.training for each in net.modules()} == {True}
    modes.clear()
    trainer.predict(module, dataloaders=module.feed.evaluation("validation"))
    assert modes == validation


@contextmanager
def scored(monkeypatch: pytest.MonkeyPatch, scores: list[float]) -> Iterator[list[dict[str, torch.Tensor]]]:
    """Validation gives these scores; the weights at each of them."""
    kept: list[dict[str, torch.Tensor]] = []

    def fake(self: Keep, module: Any) -> dict[str, float]:
        kept.append(weights_of(module.network))
        return {"combined": scores[len(kept) - 1], "loss": 1.0 - scores[len(kept) - 1]}

    with monkeypatch.context() as patched:
        patched.setattr(Keep, "scores", fake)
        yield kept


@pytest.mark.parametrize(
    ("select_by", "scores", "best"),
    [
        ("combined", [0.1, 0.9, 0.5], 1),
        ("loss", [0.9, 0.9, 0.5], 0),
        ("combined", [float("nan")] * 3, 0),
    ],
)
def test_the_network_ends_with_the_weights_of_the_best_epoch(encoder, tmp_path, monkeypatch, select_by, scores, best):
    net = network(encoder)
    with scored(monkeypatch, scores) as kept:
        train(net, tmp_path, epochs=3, select_by=select_by)
    assert len(kept) == 3 and not same(kept[best], kept[best - 1])
    assert same(weights_of(net), kept[best])


def test_early_stopping_stops_and_stays_stopped(encoder, tmp_path, monkeypatch):
    rule = {"metric": "loss", "patience": 2}
    first = network(encoder)
    with scored(monkeypatch, [0.1, 0.9, 0.5, 0.8, 1.0]) as kept:
        train(first, tmp_path, epochs=5, early_stopping=rule)
        assert len(kept) == 4
        again = network(encoder)
        train(again, tmp_path, epochs=5, early_stopping=rule)
        assert len(kept) == 4, "a stopped fit must not go on"
    assert same(weights_of(first), kept[1])
    assert same(weights_of(again), kept[1])


@pytest.mark.parametrize(("accumulate", "stop_at"), [(2, 1), (1, 10), (1, 6)])
def test_an_interrupted_fit_goes_on_to_the_same_bits(encoder, tmp_path, stop_at, accumulate):
    """Stopped within the first epoch, within a later one, or at the end of an epoch; dropout is on."""
    options = {"epochs": 2, "accumulate": accumulate}
    whole, events = network(encoder, dropout=0.3), []
    train(whole, tmp_path / "whole", events=events, **options)

    curve: Events = []
    with pytest.raises(Interrupted, match="saved"):
        train(network(encoder, dropout=0.3), tmp_path / "cut", events=curve, stop_at=stop_at, **options)
    assert state.load(tmp_path / "cut" / "state.pt")["step"] == stop_at
    resumed = network(encoder, dropout=0.3, seed=99)
    train(resumed, tmp_path / "cut", events=curve, **options)
    assert same(weights_of(resumed), weights_of(whole))
    assert curve == events


def test_training_moves_every_weight_that_is_to_be_trained(encoder, tmp_path):
    net = network(encoder)
    before = weights_of(net)
    train(net, tmp_path, epochs=1)
    after = weights_of(net)
    assert {name for name in before if not torch.equal(before[name], after[name])} == set(net.trainable())


def test_training_only_the_embeddings_in_use_ends_where_training_all_does(encoder, tmp_path):
    """Without decay; the rows that no training text holds have no gradient."""
    tokens = TRAIN["films:text"].tokens
    nets = [
        network(encoder, used=used) for used in (None, np.unique([0, *tokens[tokens < 30]]), np.unique([0, *tokens]))
    ]
    with pytest.raises(IndexError):
        train(nets[1], tmp_path / "too few", epochs=1)
    for number in (0, 2):
        train(nets[number], tmp_path / str(number), weight_decay=0.0)
    widen(nets[2].trunk)
    torch.testing.assert_close(weights_of(nets[0]), weights_of(nets[2]), atol=1e-6, rtol=1e-6)


def finite(saved: dict[str, Any]) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in saved["weights"].values())


@pytest.mark.parametrize(("bad", "epoch"), [(3, None), (BATCHES, 1), (BATCHES + 2, 1)])
def test_a_loss_that_is_no_number_ends_with_its_task_and_step(encoder, tmp_path, bad, epoch):
    """`bad` is the index of the step whose logits of `mood` are not numbers."""
    net = network(encoder)
    calls = iter(range(99))

    def spoil(module: Any, given: Any, out: torch.Tensor) -> torch.Tensor:
        return out * float("nan") if module.training and next(calls) == bad else out

    net.heads["mood"].register_forward_hook(spoil)
    with pytest.raises(RunnerError, match=rf"`mood` is not a number at step {bad + 1}$") as error:
        train(net, tmp_path)
    assert "learning_rate" in error.value.hint and error.value.step == bad
    saved = state.load(tmp_path / "state.pt")
    assert (saved and saved["epoch"]) == epoch
    assert saved is None or (finite(saved) and finite(state.load(tmp_path / "best" / "best.pt")))


def spoil_gradient(net: Network, bad: int) -> None:
    """Make one gradient of step `bad` infinite though its loss is finite, as an overflow would."""
    calls = iter(range(99))
    net.heads["mood"].weight.register_hook(lambda g: g * float("inf") if next(calls) == bad else g)


NO_CHECK = "only the loss is checked, before the step; not the gradient that the step is taken with"


def test_a_gradient_that_is_no_number_reaches_no_saved_state(encoder, tmp_path):
    net = network(encoder)
    spoil_gradient(net, BATCHES - 1)
    with pytest.raises(RunnerError, match="not a number"):
        train(net, tmp_path)
    for file in ("state.pt", "best/best.pt"):
        saved = state.load(tmp_path / file)
        assert saved is None or finite(saved), file


def test_a_gradient_that_is_no_number_in_the_last_step_is_an_error(encoder, tmp_path):
    net = network(encoder)
    spoil_gradient(net, 2 * BATCHES - 1)
    with pytest.raises(RunnerError, match="not a number"):
        train(net, tmp_path)


def test_a_state_whose_best_weights_are_gone_is_as_none(encoder, tmp_path):
    first, second = network(encoder), network(encoder)
    train(first, tmp_path, epochs=1)
    (tmp_path / "best" / "best.json").unlink()
    events: Events = []
    train(second, tmp_path, events=events, epochs=1)
    assert events[0]["step"] == 1
    assert same(weights_of(first), weights_of(second))


def test_a_damaged_state_is_as_none(encoder, tmp_path):
    first, second = network(encoder), network(encoder)
    train(first, tmp_path)
    stored = tmp_path / json.loads((tmp_path / "state.json").read_bytes())["file"]
    stored.write_bytes(stored.read_bytes()[:-1])
    events: Events = []
    train(second, tmp_path, events=events)
    assert events[0]["step"] == 1
    assert same(weights_of(first), weights_of(second))


GRADUAL = {"layers": "all", "thaw": 2, "thaw_by": "layer"}


def moments_of(saved: dict[str, Any]) -> int:
    """Numbers that the optimizer keeps beside the weights."""
    kept = saved["optimizer"]["state"].values()
    return sum(each["exp_avg"].numel() + each["exp_avg_sq"].numel() for each in kept)


@pytest.mark.parametrize("thaw", [{}, {"thaw": 2}])
def test_what_rests_has_no_optimizer_memory_until_it_learns(encoder, tmp_path, thaw):
    net = network(encoder, freeze={"layers": "all", **thaw})
    heads = sum(each.numel() for each in net.heads.parameters())
    train(net, tmp_path / "one", epochs=1)
    assert moments_of(state.load(tmp_path / "one" / "state.pt")) == 2 * heads
    train(net, tmp_path / "two", epochs=2)
    learned = sum(each.numel() for each in net.trainable().values())
    assert (learned > heads) == bool(thaw)
    assert moments_of(state.load(tmp_path / "two" / "state.pt")) == 2 * learned


@pytest.mark.parametrize("stop_at", [1, 6, 10])
def test_a_thawing_fit_that_is_interrupted_goes_on_to_the_same_bits(encoder, tmp_path, stop_at):
    """Stopped before anything thaws, just as it does, and when half has thawed."""
    net = {"freeze": GRADUAL, "dropout": 0.3, "used": np.arange(33)}
    options = {"epochs": 4}
    whole = network(encoder, **net)
    train(whole, tmp_path / "whole", **options)
    with pytest.raises(Interrupted):
        train(network(encoder, **net), tmp_path / "cut", stop_at=stop_at, **options)
    resumed = network(encoder, seed=99, **net)
    train(resumed, tmp_path / "cut", **options)
    assert same(weights_of(resumed), weights_of(whole))


def test_a_thawing_fit_moves_the_trunk_only_after_the_thaw(encoder, tmp_path, monkeypatch):
    net = network(encoder, freeze={"layers": "all", "thaw": 3})
    before = weights_of(net)
    with scored(monkeypatch, [0.1, 0.2, 0.3]) as kept:
        train(net, tmp_path, epochs=3)
    trunk = [name for name in net.trainable() if name.startswith("trunk.")]
    assert [sum(not torch.equal(each[name], before[name]) for name in trunk) for each in kept] == [0, 0, len(trunk)]


def test_rates_of_their_own_follow_one_course_and_the_curve_is_that_of_the_highest_layer(encoder, tmp_path):
    events: Events = []
    seen: list[list[float]] = []
    handle = register_optimizer_step_pre_hook(
        lambda optimizer, *_: seen.append([group["lr"] for group in optimizer.param_groups])
    )
    try:
        train(network(encoder), tmp_path, events=events, warmup=0.25, layer_decay=0.5, head_learning_rate=0.08)
    finally:
        handle.remove()
    assert {round(each, 6) for each in seen[2]} == {0.00125, 0.005, 0.01, 0.08}
    for rates in seen:
        assert [rate / rates[0] for rate in rates] == pytest.approx([rate / seen[2][0] for rate in seen[2]])
    (first,) = [each["values"]["learning_rate"] for each in events if each["split"] == "train" and each["step"] == 1]
    assert first == pytest.approx(0.01 / 3)
