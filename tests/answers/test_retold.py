"""Answers read back from what the store keeps score as they did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.answers.answers import Place
from runner.answers.choices import Choices
from runner.answers.shapes import SHAPES
from runner.answers.texts import Texts, listed
from tests.parts.answers import answered
from tests.parts.heads import guessed, toy

law = settings(max_examples=10, deadline=None, database=None)
BY_ALL = {"average_precision", "brier_score"}  # not all probabilities are kept


def again(answers):
    """The answers after a stay in the store."""
    place = Place(answers.task, answers.split, answers.labels, answers.ids)
    return SHAPES[answers.shape].retold(place, answers.told())


def scores(answers, metric):
    return pytest.approx(kinds.pick("metrics", metric)().score(answers), rel=1e-6, abs=1e-9, nan_ok=True)


def reading(answers):
    """The metrics that score these answers."""
    found = [name for name in kinds.names("metrics") if isinstance(answers, kinds.pick("metrics", name).reads)]
    return [name for name in found if name not in BY_ALL]


@pytest.mark.parametrize("kind", kinds.names("tasks"))
@law
@given(st.integers(0, 2**32 - 1))
def test_answers_of_every_task_score_as_before(kind, seed):
    answers = guessed(toy(kind), seed)
    metrics = reading(answers)
    assert metrics
    for metric in metrics:
        assert kinds.pick("metrics", metric)().score(again(answers)) == scores(answers, metric), metric


@law
@given(answered())
def test_probabilities_of_gold_and_chosen_labels_are_kept(answers):
    found, span = again(answers), np.arange(len(answers))
    for index in (answers.gold, answers.predicted):
        assert found.probabilities[span, index].tolist() == answers.probabilities[span, index].tolist()


@law
@given(st.lists(st.lists(st.text(max_size=4), max_size=3), min_size=1, max_size=5))
def test_right_texts_are_read_back_whatever_their_number(gold):
    answers = Texts("t", "test", (), tuple(map(str, range(len(gold)))), tuple(map(tuple, gold)), ("",) * len(gold))
    assert again(answers).gold == answers.gold


@pytest.mark.parametrize(
    "text,right",
    [
        ("a", ("a",)),
        ("[1] a", ("[1] a",)),
        ('["a"]', ('["a"]',)),
        ("[]", ()),
        ('["a", "b"]', ("a", "b")),
        ("[1, 2]", ("[1, 2]",)),
    ],
)
def test_only_lists_of_none_or_several_texts_are_lists(text, right):
    assert listed(text) == right


def test_a_label_that_nobody_declared_is_no_answer():
    answers = guessed(toy("classification"), 0)
    with pytest.raises(KeyError):
        Choices.retold(Place("t", "test", ("warm",), answers.ids), answers.told())
