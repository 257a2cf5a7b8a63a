"""`[evaluate.require]`: each name is a score that will be measured, each bound can be judged; trials stay what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cache.cache import Cache
from runner.plan.check import Checker
from runner.plan.compile import compile
from runner.spec.read import read
from tests.plan.test_check import change, look, only, text_at


def required(tiny: Path, rules: str) -> None:
    change(tiny, "[execute]", f"[evaluate.require]\n{rules}\n\n[execute]")


@pytest.mark.parametrize(
    ("rule", "message", "hint", "at"),
    [
        ('"mood.macro_f2" = { at_least = 0.8 }', "no score `mood.macro_f2` is measured", "did you mean `mood.macro_f1`?", '"mood.macro_f2"'),
        ("macro_f1 = { at_least = 0.8 }", "several tasks measure `macro_f1`", "write `mood.macro_f1` or `length.macro_f1`", "macro_f1"),
        ('"mood.loss" = { at_most = 1.0, with = "upper_bound" }', "`mood.loss` has no interval, so no upper_bound", 'write with = "value"', '"upper_bound"'),
        ('"mood.macro_f1" = { at_least = 0.9, at_most = 0.8 }', "`at_least` is above `at_most`: no score passes", "swap them", "0.9"),
        ('"mood.macro_f1" = {}', "a criterion needs `at_least` or `at_most`", "such as { at_least = 0.8 }", '{}'),
    ],
)  # fmt: skip
def test_a_criterion_that_cannot_be_judged_is_told_at_its_place(
    tiny: Path, rule: str, message: str, hint: str, at: str
) -> None:
    required(tiny, rule)
    fault = only(tiny)
    assert fault.message == message and hint in fault.hint
    assert at in text_at(tiny, fault)


def test_scores_of_one_label_need_the_label(tiny: Path) -> None:
    change(
        tiny,
        '[tasks.length]\ntype = "classification"',
        '[tasks.length]\nmetrics = ["class_f1"]\ntype = "classification"',
    )
    required(tiny, '"length.class_f1.long" = { at_least = 0.5 }\n"class_f1.short" = { at_least = 0.5 }')
    assert look(tiny).warnings == ()
    change(tiny, '"length.class_f1.long"', '"length.class_f1"')
    assert only(tiny).message == "`length.class_f1` is one score a label"


def test_other_bounds_train_nothing_anew(tiny: Path, tmp_path: Path) -> None:
    def key() -> str:
        checker = Checker(Cache(tmp_path / "cache"))
        return compile(checker.check(read(tiny)), checker.cache).trials[0].key

    before = key()
    required(tiny, '"mood.macro_f1" = { at_least = 0.8, with = "lower_bound" }')
    assert key() == before
