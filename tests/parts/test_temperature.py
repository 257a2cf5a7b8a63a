"""Temperature: it changes how sure answers are and no answer, is found again, and goes with the saved head."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from runner import kinds
from runner.parts.tasks._temperature import BOUNDS, fitted, tempered
from tests.parts.answers import answered, made

law = settings(max_examples=25, deadline=None, database=None)
HALVES = made([0, 1], [0, 0], probabilities=[[0.8, 0.2], [0.6, 0.4]])


def task(**fields: Any) -> Any:
    table = {"type": "classification", "data": ["reviews"], **fields}
    return kinds.pick("tasks", "classification").model_validate(table)


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def log_loss(probabilities: np.ndarray, gold: np.ndarray) -> float:
    return float(-np.log(probabilities[np.arange(len(gold)), gold]).mean())


@law
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 8))
def test_it_is_the_softmax_of_divided_logits(seed: int, temperature: float) -> None:
    logits = np.random.default_rng(seed).normal(size=(6, 4)) * 3
    assert tempered(softmax(logits), temperature) == pytest.approx(softmax(logits / temperature))


@law
@given(answered(), st.floats(0.1, 10))
def test_no_answer_changes(answers: Any, temperature: float) -> None:
    found = tempered(answers.probabilities, temperature)
    assert found.sum(1) == pytest.approx(np.ones(len(answers)))
    assert (found.argmax(1) == answers.probabilities.argmax(1)).all()


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_of_a_model_is_found_again(temperature: float) -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(4000, 3)) * 2
    gold = (softmax(logits).cumsum(1) > rng.random((4000, 1))).argmax(1)  # as likely as the logits say
    assert fitted(softmax(logits * temperature), gold) == pytest.approx(temperature, rel=0.1)


@law
@given(answered())
def test_none_that_may_be_taken_has_a_smaller_log_loss(answers: Any) -> None:
    best = fitted(answers.probabilities, answers.gold)
    assert BOUNDS[0] <= best <= BOUNDS[1]
    least = log_loss(tempered(answers.probabilities, best), answers.gold)
    for other in np.geomspace(*BOUNDS, 40):
        assert (
            least <= log_loss(tempered(answers.probabilities, float(other)), answers.gold) + 1e-3
        )  # how near the search comes to a bound


def test_probabilities_of_nothing_stay_finite() -> None:
    found = tempered(np.array([[1.0, 0.0]]), 0.1)
    assert found.tolist() == [[1.0, 0.0]] and np.isfinite(tempered(np.array([[1.0, 0.0]]), 10.0)).all()


def test_what_is_tuned_is_kept_by_whoever_asks_the_saved_head() -> None:
    part = task(temperature="tuned")
    chosen = part.tuned(HALVES)
    assert set(chosen) == {"temperature"} and part.tunes
    settled = part.settled(HALVES, chosen)
    assert settled.predicted.tolist() == HALVES.predicted.tolist()
    saved = task(**chosen)
    replies = [saved.reply(each, ("a", "b"), ()) for each in HALVES.probabilities]
    assert [reply["a"] for reply in replies] == pytest.approx(settled.probabilities[:, 0].tolist())


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_what_is_written_is_not_tuned(temperature: float) -> None:
    part = task(temperature=temperature)
    assert part.tuned(HALVES) == {} and not part.tunes and part.settled(HALVES, {}) is HALVES


def test_the_default_leaves_the_key_of_a_trial_alone() -> None:
    assert "temperature" not in task().used() and task(temperature="tuned").used()["temperature"] == "tuned"


@pytest.mark.parametrize("temperature", [0.0, -1.0, "best"])
def test_what_is_no_temperature_is_refused(temperature: Any) -> None:
    with pytest.raises(ValidationError):
        task(temperature=temperature)
