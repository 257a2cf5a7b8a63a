"""Baselines: the majority class, and words with logistic regression."""

import numpy as np
import pytest

from runner import kinds
from runner.evaluate.baselines import simple
from runner.parts.tasks._task import Place

GOOD = ["a good film", "good book", "what a good day", "it was good"]
BAD = ["a bad film", "bad book", "what a bad day", "it was bad"]


def answers(name, texts, train, asked, gold, labels):
    """What a baseline answers, as those of a task."""
    task = kinds.pick("tasks", "classification").model_validate({"type": "classification", "data": ["films"]})
    rows = [{"text": t, "gold": [labels[code] for code in g]} for t, g in ((texts, train), (asked, gold))]
    place = Place("mood", "test", tuple(labels), tuple(map(str, range(len(gold)))))
    return task.gathered(place, rows[1]["gold"], simple(name, *rows, task, tuple(labels)))


def by_majority(train, gold, labels):
    return answers("majority", [""] * len(train), train, [""] * len(gold), gold, labels)


def by_words(texts, train, asked, gold, labels="ab"):
    return answers("tfidf", texts, train, asked, gold, labels)


def sums_to_one(answers):
    assert answers.probabilities.shape == (len(answers.gold), len(answers.labels))
    assert answers.probabilities.sum(1) == pytest.approx(np.ones(len(answers.gold)))


def test_majority_by_hand():
    found = by_majority([0, 1, 1, 2], [3, 1], "abcd")
    assert found.predicted.tolist() == [1, 1]
    assert found.probabilities.tolist() == [[0.25, 0.5, 0.25, 0.0]] * 2
    assert (found.task, found.split, found.labels, found.ids) == ("mood", "test", ("a", "b", "c", "d"), ("0", "1"))
    assert found.gold.tolist() == [3, 1]


def test_of_equally_frequent_labels_majority_takes_the_first():
    assert by_majority([2, 1, 2, 1], [0], "abc").predicted.tolist() == [1]


def test_majority_without_questions_has_no_answers():
    found = by_majority([0, 1], [], "ab")
    assert len(found) == 0
    sums_to_one(found)


def test_words_tell_the_labels_apart():
    found = by_words(GOOD + BAD, [0] * 4 + [1] * 4, ["good", "a bad thing", "so good a day"], [0, 1, 0])
    assert found.predicted.tolist() == [0, 1, 0]
    assert found.ids == ("0", "1", "2")
    sums_to_one(found)


def test_word_pairs_tell_the_labels_apart():
    texts = ["not good", "good not"]
    assert by_words(texts * 3, [0, 1] * 3, texts, [0, 1]).predicted.tolist() == [0, 1]


def test_words_of_one_letter_count():
    assert by_words(["x", "y"] * 3, [0, 1] * 3, ["y", "x"], [1, 0]).predicted.tolist() == [1, 0]


def test_the_same_rows_give_the_same_probabilities():
    one, other = (by_words(GOOD + BAD, [0] * 4 + [1] * 4, ["good bad film"], [0]) for _ in range(2))
    assert np.array_equal(one.probabilities, other.probabilities)


def test_a_label_that_train_lacks_gets_no_probability():
    found = by_words(GOOD + BAD, [0] * 4 + [2] * 4, ["bad", "good"], [1, 1], "abc")
    assert found.predicted.tolist() == [2, 0]
    assert found.probabilities[:, 1].tolist() == [0.0, 0.0]
    sums_to_one(found)


def test_unknown_words_leave_the_decision_to_the_rest():
    found = by_words(GOOD + BAD, [0] * 4 + [1] * 4, ["zebra", "", "!!!"], [0, 0, 0])
    assert np.isfinite(found.probabilities).all()
    assert np.array_equal(found.probabilities[0], found.probabilities[2])
    sums_to_one(found)


def test_texts_without_words_fall_back_to_the_majority():
    found = by_words(["!!!", "?", ""], [1, 1, 0], ["...", "word"], [0, 1])
    assert found.predicted.tolist() == [1, 1]
    assert found.probabilities == pytest.approx(np.array([[1 / 3, 2 / 3]] * 2))


def test_one_label_in_train_is_answered_always():
    found = by_words(GOOD, [1] * 4, ["good", "bad"], [0, 1])
    assert found.predicted.tolist() == [1, 1]
    sums_to_one(found)


def test_words_without_questions_have_no_answers():
    found = by_words(GOOD + BAD, [0] * 4 + [1] * 4, [], [])
    assert len(found) == 0
    sums_to_one(found)
