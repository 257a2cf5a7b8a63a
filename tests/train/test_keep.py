"""What is kept: scores with their direction, losses over examples, and lines of progress."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from runner.parts.tasks._output import Output
from runner.train.keep import Keep, oriented, validation_loss
from runner.train.module import Heard, Module
from runner.train.progress import Progress
from tests.model.tiny import LABELS, experiment


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        ("combined", 0.5, 0.5),
        ("loss", 0.5, -0.5),
        ("mood.loss", 0.25, -0.25),
        ("mood.accuracy", 0.75, 0.75),
        ("mood.v2.accuracy", 0.75, 0.75),
        ("mood.log_loss", 0.5, -0.5),
        ("mood.expected_calibration_error", 0.1, -0.1),
        ("combined", math.nan, -math.inf),
        ("loss", math.nan, -math.inf),
        ("loss", math.inf, -math.inf),
    ],
)
def test_higher_is_better_after_orientation(metric, value, expected):
    assert oriented(metric, {metric: value}) == expected


def heard(given: Any, outputs: dict[str, Output]) -> Heard:
    """What a module hears of a batch whose network gives these outputs."""
    network: Any = SimpleNamespace(outputs=lambda batch, tasks: outputs)
    module: Any = SimpleNamespace(network=network, experiment=given, heard=[], weights_on=weights_on)
    module.loss = lambda task, output: Module.loss(module, task, output)
    rows = range(max(len(each.target) for each in outputs.values()))
    Module.validation_step(module, SimpleNamespace(targets=outputs, stream="films", rows=rows), 0)  # type: ignore[arg-type]
    return module.heard[0]


def weights_on(task: str, device: Any) -> torch.Tensor | None:
    return torch.tensor([0.5, 2.5]) if task == "mood" else None


def test_the_validation_loss_is_the_mean_over_examples_not_over_batches():
    """Two batches of 3 and 1 examples: with even logits an example costs ln 3, a sure and wrong one about 8."""
    even, wrong = torch.zeros(3, 3), torch.tensor([[8.0, 0.0, 0.0]])
    given = [
        heard(experiment(), {"size": Output(even, torch.tensor([0, 1, 1]))}),
        heard(experiment(), {"size": Output(wrong, torch.tensor([1]))}),
    ]
    module: Any = SimpleNamespace(heard=given)
    found = validation_loss(module, experiment().tasks)
    assert found["size.loss"] == pytest.approx((3 * math.log(3) + 8.00067) / 4, abs=1e-5)
    assert found["loss"] == pytest.approx(found["size.loss"])


def test_the_validation_loss_weighs_classes_and_tasks():
    spec = experiment().written()
    spec["tasks"]["mood"]["loss_weight"] = 3.0
    given = type(experiment()).model_validate(spec)
    mood = Output(torch.zeros(2, 2), torch.tensor([0, 1]))
    size = Output(torch.zeros(2, 3), torch.tensor([0, 2]))
    module: Any = SimpleNamespace(heard=[heard(given, {"mood": mood, "size": size})])
    found = validation_loss(module, given.tasks)
    assert found["mood.loss"] == pytest.approx(1.5 * math.log(2))
    assert found["size.loss"] == pytest.approx(math.log(3))
    assert found["loss"] == pytest.approx(4.5 * math.log(2) + math.log(3))


def watched(scores: list[float], patience: int, min_delta: float) -> list[bool]:
    """Whether training is asked to stop after each score."""
    keep = Keep(None, {}, LABELS, print, None)  # type: ignore[arg-type]
    trainer: Any = SimpleNamespace(should_stop=False)
    rule = SimpleNamespace(patience=patience, min_delta=min_delta)
    stops = []
    for score in scores:
        keep.watch(score, rule, trainer)
        stops.append(trainer.should_stop)
    return stops


@pytest.mark.parametrize(
    ("scores", "patience", "min_delta", "expected"),
    [
        ([0.1, 0.2, 0.2], 1, 0.0, [False, False, True]),
        ([0.5, 0.4, 0.6, 0.5, 0.4], 2, 0.0, [False, False, False, False, True]),
        ([0.50, 0.54, 0.58], 2, 0.05, [False, False, False]),
        ([0.50, 0.54, 0.54], 2, 0.05, [False, False, True]),
        ([-0.9, -0.5, -0.7], 1, 0.0, [False, False, True]),
        ([-math.inf, -math.inf], 2, 0.0, [False, True]),
    ],
)
def test_patience_counts_epochs_without_improvement(scores, patience, min_delta, expected):
    assert watched(scores, patience, min_delta) == expected


def test_progress_writes_a_line_an_epoch_where_nobody_looks(capsys):
    keep = SimpleNamespace(best_epoch=1, values={"mood.accuracy": 0.5, "mood.class_f1.bad": 0.1, "combined": 0.3})
    progress = Progress(8)
    for epoch in range(2):
        progress.on_train_epoch_end(SimpleNamespace(callbacks=[progress, keep]), SimpleNamespace(epoch=epoch))  # type: ignore[arg-type]
    out, err = capsys.readouterr()
    assert (out, err) == ("", "  epoch 1: mood.accuracy 0.500\n  epoch 2: mood.accuracy 0.500  (best)\n")
