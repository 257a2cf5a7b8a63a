"""Processes that share work: results in order, and an error of their setting up is the caller's to see."""

from __future__ import annotations

import pytest

from runner.errors import RunnerError
from runner.workers import spread


def adder(more: int):
    return lambda item: item + more


def failing(name: str):
    raise RunnerError(f"no {name}", "get one")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers):
    assert list(spread(adder, (5,), range(20), workers)) == list(range(5, 25))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_setting_up_is_told_as_it_is(workers):
    with pytest.raises(RunnerError, match="no tokenizer") as caught:
        list(spread(failing, ("tokenizer",), range(3), workers))
    assert caught.value.hint == "get one"
