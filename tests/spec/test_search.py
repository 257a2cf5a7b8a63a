"""Searches as they are written: ranges whose ends are valid values, objectives that are measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import SpecError
from runner.spec.read import read
from tests.spec.test_grid import SPEC

SEARCH = """
[search]
trials = 5
{more}
[search.space]
"train.learning_rate" = {rate}
"""


@pytest.fixture
def spec(tmp_path: Path):
    def write(rate: str = "{ low = 1e-5, high = 1e-3, log = true }", more: str = "", rest: str = ""):
        file = tmp_path / "s.toml"
        file.write_text(SPEC + SEARCH.format(rate=rate, more=more) + rest, encoding="utf-8")
        return read(file)

    return write


def fault(spec, *given: str, **more: str) -> str:
    with pytest.raises(SpecError) as error:
        spec(*given, **more)
    return error.value.diagnostics[0].message


def test_a_search_is_one_spec_until_a_point_is_known(spec) -> None:
    made = spec(rest='"model.adapter" = { choices = [{ type = "lora" }, { type = "ia3" }] }\n')
    assert made.variants == () and made.experiment.search.objectives == ["combined"]
    point = {"train.learning_rate": 3e-4, "model.adapter": {"type": "ia3"}}
    one = read(made.file, (("train.epochs", 2),), point)
    assert (one.experiment.train.learning_rate, one.experiment.train.epochs) == (3e-4, 2)
    assert one.experiment.model.adapter.kind == "ia3" and one.experiment.search is None and one.point == point


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ("{ low = 1e-5 }", "a range has `low` and `high`, or `choices`"),
        ("{ low = 1e-3, high = 1e-5 }", "`low` is 0.001, no less than `high`, 1e-05"),
        ("{ low = 0.0, high = 1e-3, log = true }", "a logarithm needs numbers above 0"),
        ("{ low = 1e-5, high = 1e-3, log = true, step = 1e-5 }", "`step` and `log` exclude each other"),
        ("{ low = 1, high = 9, step = 0.5 }", "whole numbers have a whole `step`"),
        ("{ choices = [1e-4], log = true }", "`choices` stand alone"),
    ],
)
def test_a_range_that_is_none(spec, rate: str, message: str) -> None:
    assert fault(spec, rate) == message


def test_both_ends_and_all_choices_are_valid_values_of_the_field(spec) -> None:
    assert "`learning_rate` is -7.0" in fault(spec, "{ low = -7.0, high = 1e-3 }")
    assert "`learning_rate` is a string" in fault(spec, '{ choices = [1e-4, "much"] }')
    assert "unknown key" in fault(spec, rest='"train.epoch" = { low = 1, high = 3 }\n')


def test_what_does_not_go_together(spec) -> None:
    assert fault(spec, rest="[grid]\nseed = [1, 2]\n") == "`grid` and `search` exclude each other"
    several = 'objective = ["loss", "seconds"]'
    assert fault(spec, more=several + '\npruner = { type = "median" }') == "several objectives cannot be pruned"
    assert fault(spec, more=several + '\nsampler = "cmaes"') == "`cmaes` knows one objective"
