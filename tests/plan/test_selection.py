"""`combined`: weights, transforms and defaults; every name in [selection] that is wrong is told at its place."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.plan.selection import TRANSFORMS, Term, bounded, combined, needs_transform, terms
from runner.spec.tables import Experiment
from tests.plan.test_check import change, look, only, text_at

SHAPES = {"intent": "classification", "slots": "token_classification", "topics": "multilabel", "score": "regression"}


def experiment(metrics: dict[str, list[str]] | None = None, **selection: Any) -> Experiment:
    tasks = {name: {"type": kind, "data": ["films"]} for name, kind in SHAPES.items()}
    for name, each in (metrics or {}).items():
        tasks[name] = {**tasks[name], "metrics": each}
    spec = {"name": "many", "model": {"base": "x"}, "data": {"films": {"train": "a.csv"}}, "tasks": tasks}
    return Experiment.model_validate({**spec, "selection": selection})


def test_by_default_the_first_metrics_weigh_alike():
    assert terms(experiment()) == (
        ("intent.macro_f1", 1.0, ""), ("slots.micro_f1", 1.0, ""), ("topics.micro_f1", 1.0, ""), ("score.pearson", 1.0, ""),
    )  # fmt: skip


@pytest.mark.parametrize("metric", ["mean_absolute_error", "root_mean_squared_error", "r2"])
def test_by_default_a_first_metric_that_is_no_score_enters_by_inverse(metric):
    assert terms(experiment({"score": [metric]}))[-1] == (f"score.{metric}", 1.0, "inverse")


def test_a_transform_alone_changes_how_a_first_metric_enters():
    found = terms(experiment({"score": ["r2"]}, transforms={"score.r2": "negative_exp"}))
    assert found[-1] == ("score.r2", 1.0, "negative_exp") and len(found) == 4


def test_only_what_weighs_enters():
    written = {"intent.accuracy": 0.0, "slots.micro_f1": 0.5, "score.loss": 2.0}
    found = terms(experiment(weights=written, transforms={"score.loss": "inverse"}))
    assert found == (("slots.micro_f1", 0.5, ""), ("score.loss", 2.0, "inverse"))


@pytest.mark.parametrize(
    ("name", "transform", "value", "expected"),
    [
        ("t.macro_f1", "", 0.25, 0.25),
        ("t.mean_absolute_error", "inverse", 3.0, 0.25),
        ("t.loss", "negative_exp", math.log(4), 0.25),
        ("t.hamming_loss", "complement", 0.75, 0.25),
        ("t.r2", "inverse", -2.0, 0.25),  # 3 from the perfect 1
        ("t.r2", "negative_exp", 1.0, 1.0),
        ("t.macro_f1", "complement", 0.25, 0.25),
    ],
)
def test_transforms_literal(name, transform, value, expected):
    assert combined((Term(name, 3.0, transform),), {name: value}) == pytest.approx(expected)


def test_the_mean_is_weighted():
    found = (Term("a.macro_f1", 3.0, ""), Term("b.log_loss", 1.0, "inverse"))
    assert combined(found, {"a.macro_f1": 0.5, "b.log_loss": 1.0, "c.accuracy": math.nan}) == pytest.approx(0.5)
    assert combined(found, {"a.macro_f1": 1.0, "b.log_loss": 1.0}) == pytest.approx(0.875)


def test_a_metric_by_label_enters_as_the_mean_over_labels():
    values = {"t.class_f1.a.b": 0.5, "t.class_f1.c": 1.0, "t.class_f1_other": 9.0}
    assert combined((Term("t.class_f1", 1.0, ""),), values) == 0.75


def test_what_is_no_number_stays_none():
    assert math.isnan(combined((Term("t.pearson", 1.0, ""),), {"t.pearson": math.nan}))


@given(st.sampled_from(sorted(TRANSFORMS)), st.floats(0, 50), st.floats(0, 50))
def test_a_transform_keeps_the_order_and_is_one_for_perfect(transform, one, other):
    less, more = sorted([one, other])
    assert TRANSFORMS[transform](less) >= TRANSFORMS[transform](more)
    assert TRANSFORMS[transform](0.0) == 1.0
    assert transform == "complement" or 0 < TRANSFORMS[transform](more) <= 1


@pytest.mark.parametrize(
    ("metric", "limits", "needs"),
    [
        ("macro_f1", True, False), ("matthews", True, False), ("hamming_loss", True, True), ("log_loss", False, True),
        ("expected_calibration_error", True, True), ("r2", False, True), ("loss", False, True),
    ],
)  # fmt: skip
def test_what_needs_a_transform(metric, limits, needs):
    assert (bounded(f"t.{metric}"), needs_transform(f"t.{metric}")) == (limits, needs)


WRONG = {
    "weight": ('weights = { "mood.macro_f" = 1.0 }', "no metric `mood.macro_f` is measured", '"mood.macro_f"', "mood.macro_f1"),
    "task": ('weights = { "mod.macro_f1" = 1.0 }', "no metric `mod.macro_f1` is measured", '"mod.macro_f1"', "mood.macro_f1"),
    "shown nowhere": ('weights = { "mood.macro_f1" = 1.0, "mood.recall" = 0.0 }', "no metric `mood.recall` is measured", '"mood.recall"', "allowed"),
    "loss": ('weights = { "mood.loss" = 1.0 }', "`mood.loss` is better the lower it is: it enters by a transform only", '"mood.loss"', 'transforms = { "mood.loss" = "inverse" }'),
    "transform": ('transforms = { "length.macro_f1s" = "inverse" }', "no metric `length.macro_f1s` is measured", '"length.macro_f1s"', "length.macro_f1"),
    "unused": ('transforms = { "mood.accuracy" = "inverse" }', "`mood.accuracy` does not enter `combined`", '"mood.accuracy"', "allowed"),
    "complement": ('weights = { "mood.loss" = 1.0 }\ntransforms = { "mood.loss" = "complement" }', "`mood.loss` has no bounds: its complement could be any number", '"complement"', '"inverse"'),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_names_are_told_at_their_place(tiny: Path, what: str) -> None:
    written, message, at, hint = WRONG[what]
    change(tiny, "[evaluate]", f"[selection]\n{written}\n\n[evaluate]")
    fault = only(tiny)
    assert (fault.message, text_at(tiny, fault)) == (message, at)
    assert hint in fault.hint


@pytest.mark.parametrize(
    ("written", "message", "at"),
    [
        (
            'weights = { "mood.macro_f1" = 0.0 }',
            "all weights are 0: nothing is left to choose by",
            '{ "mood.macro_f1" = 0.0 }',
        ),
        ('transforms = { "mood.loss" = "invers" }', "", '"invers"'),
        ('weights = { "mood.macro_f1" = -1.0 }', "", "-1.0"),
    ],
)
def test_wrong_values_are_told_at_their_place(tiny: Path, written: str, message: str, at: str) -> None:
    change(tiny, "[evaluate]", f"[selection]\n{written}\n\n[evaluate]")
    fault = only(tiny)
    assert text_at(tiny, fault) == at
    assert not message or fault.message == message


def test_a_loss_that_weighs_nothing_needs_no_transform(tiny: Path) -> None:
    change(tiny, "[evaluate]", '[selection]\nweights = { "mood.macro_f1" = 1.0, "mood.loss" = 0.0 }\n\n[evaluate]')
    assert look(tiny).warnings == ()
