"""Answers in texts: what is a target, where it falls in overlapping sequences, and which span is chosen."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.parts.tasks._output import Output
from runner.parts.tasks._reading import Reading
from runner.parts.tasks.question_answering import INSIDE, OUTSIDE, STARTS, Guess

CONTEXT = "the cat sat on the mat"


def task(**fields):
    table = {"type": "question_answering", "data": ["reading"], **fields}
    return kinds.pick("tasks", "question_answering").model_validate(table)


def answer(text, start):
    return json.dumps([{"text": text, "answer_start": start}])


@pytest.mark.parametrize(
    "value",
    [answer("cat", 4), '{"text": "cat", "answer_start": 4}', '{"text": ["cat"], "answer_start": [4]}'],
)
def test_answers_come_in_the_forms_of_squad(value):
    assert task().spans(value, CONTEXT) == [(4, 7)]
    assert task().units(value, ("who", CONTEXT)) == ("answer",)


@pytest.mark.parametrize(
    "value,why",
    [
        (answer("cat", 5), "the answer `cat` is not at character 5 of its context: `at `"),
        (answer("dog", 4), "the answer `dog` is not at character 4"),
        (answer("", 4), "is not at character 4"),
        (answer("cat", -1), "is not at character -1"),
        (answer(" ", 3), "the answer at character 3 is blank"),
        ('[{"text": "cat"}]', "an answer needs `text` and `answer_start`"),
        ("cat", "an answer needs `text` and `answer_start`"),
        ("[]", "there is no answer; write `no_answer = true`"),
    ],
)
def test_what_is_no_answer_says_why(value, why):
    with pytest.raises(ValueError) as error:
        task().units(value, ("who", CONTEXT))
    assert why in str(error.value)


def test_questions_may_have_no_answer():
    assert task(no_answer=True).units("[]", ("who", CONTEXT)) == ("no answer",)


def words(text):
    starts = np.cumsum([0, *(len(word) + 1 for word in text.split(" "))])[:-1]
    return [(int(start), int(start) + len(word)) for start, word in zip(starts, text.split(" "), strict=True)]


def reading(pieces):
    """Sequences of one row: a special token, a question of one, and words from `first` to `last` of the context."""
    rows = [[(0, 0), (0, 3), *words(CONTEXT)[first:last], (0, 0)] for first, last in pieces]
    flat = np.array([place for row in rows for place in row])
    offsets = np.cumsum([0, *map(len, rows)])
    owners = np.zeros(len(rows), np.int64)
    return Reading([["who"], [CONTEXT]], offsets, flat[:, 0], flat[:, 1], owners, np.full(len(rows), 2))


def test_an_answer_falls_into_the_sequences_that_hold_all_of_it():
    """The words `cat sat` are at 1 and 2: the first sequence holds both, the second one, the third none."""
    given_reading = reading([(0, 4), (2, 5), (4, 6)])
    found = task().targets([answer("cat sat", 4)], ("start", "end"), given_reading)
    begins = given_reading.offsets[:-1]
    assert [(int(code) % STARTS, int(code) // STARTS) for code in found[begins]] == [(3, 4), (0, 0), (0, 0)]
    assert found[: begins[1]].tolist()[1:] == [OUTSIDE, INSIDE, INSIDE, INSIDE, INSIDE, OUTSIDE]


def said(part, logits, given_reading, target):
    lengths = torch.from_numpy(np.diff(given_reading.offsets))
    spans = torch.from_numpy(np.stack([given_reading.starts, given_reading.ends], axis=1))
    return part.answer(Output(torch.from_numpy(logits), torch.from_numpy(target), lengths, spans))


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
@settings(max_examples=40, deadline=None, database=None)
def test_the_span_is_the_best_of_those_that_are_short_enough(seed, longest):
    part, given_reading = task(longest=longest), reading([(0, 6)])
    target = part.targets([answer("cat", 4)], ("start", "end"), given_reading)
    logits = np.random.default_rng(seed).normal(size=(len(target), 2))
    (found,) = said(part, logits, given_reading, target)
    pairs = [(i, j) for i in range(2, 8) for j in range(i, min(8, i + longest))]
    first, last = max(pairs, key=lambda pair: logits[pair[0], 0] + logits[pair[1], 1])
    assert (found.start, found.end) == (given_reading.starts[first], given_reading.ends[last])
    assert found.score == pytest.approx(logits[first, 0] + logits[last, 1])
    assert found.nothing == pytest.approx(logits[0].sum())


def test_the_surest_sequence_answers_and_none_only_if_no_sequence_has_an_answer():
    several = [Guess(1.0, 0, 3, 2.0), Guess(3.0, 4, 7, 2.5), Guess(0.0, 8, 9, 9.0)]
    assert task().merged(several) == Guess(3.0, 4, 7, 2.0)
    assert task(no_answer=True).reply(Guess(3.0, 4, 7, 2.0), (), ["who", CONTEXT])["text"] == "cat"
    assert task(no_answer=True).reply(Guess(1.0, 4, 7, 2.0), (), ["who", CONTEXT])["text"] == ""
    assert task().reply(Guess(1.0, 4, 7, 2.0), (), ["who", CONTEXT])["text"] == "cat"


@pytest.mark.parametrize(
    "gold,predicted,exact,f1",
    [
        (("The cat.",), "cat", 1.0, 1.0),
        (("a black cat", "the cat"), "cat sat", 0.0, 2 / 3),
        ((), "", 1.0, 1.0),
        ((), "cat", 0.0, 0.0),
        (("cat",), "", 0.0, 0.0),
    ],
)
def test_scores_by_hand_as_squad_defines_them(gold, predicted, exact, f1):
    from runner.answers.texts import Texts

    answers = Texts("t", "test", (), (), (gold,), (predicted,))
    assert kinds.pick("metrics", "squad_exact_match")().score(answers)[""] == pytest.approx(exact)
    assert kinds.pick("metrics", "squad_f1")().score(answers)[""] == pytest.approx(f1)


def test_spaces_around_an_answer_are_no_part_of_it():
    assert task().spans(answer(" cat ", 3), CONTEXT) == [(4, 7)]


def test_a_sequence_without_context_tells_no_score():
    assert task().reply(Guess(-np.inf, 0, 0, 1.0), (), ["who", CONTEXT]) == {
        "text": "",
        "start": 0,
        "end": 0,
        "score": None,
    }
