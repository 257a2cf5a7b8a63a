"""Scores of texts, of preferences and of ranks, by hand and against the packages that define them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.answers.likelihoods import Likelihoods
from runner.answers.preferences import Preferences
from runner.answers.ranks import Ranks
from runner.answers.texts import Texts
from runner.evaluate.measure import measure

words = st.lists(st.sampled_from(["the", "cat", "sat", "on", "a", "mat", "dog", "ran", "."]), max_size=9).map(" ".join)
pairs = st.lists(st.tuples(words, words), min_size=1, max_size=6)
law = settings(max_examples=60, deadline=None, database=None)


def texts(*rows):
    """Right texts and what was said."""
    gold = tuple(each if isinstance(each, tuple) else (each,) for each, _ in rows)
    return Texts("t", "test", (), tuple(map(str, range(len(rows)))), gold, tuple(said for _, said in rows))


def score(metric, answers):
    return kinds.pick("metrics", metric)().score(answers)[""]


@law
@given(pairs)
def test_chrf_is_that_of_sacrebleu(rows):
    from sacrebleu import corpus_chrf

    expected = corpus_chrf([said for _, said in rows], [[gold for gold, _ in rows]]).score / 100
    assert score("chrf", texts(*rows)) == pytest.approx(expected, abs=1e-12)


@law
@given(pairs)
def test_bleu_is_that_of_sacrebleu(rows):
    from sacrebleu import corpus_bleu

    expected = corpus_bleu([said for _, said in rows], [[gold for gold, _ in rows]]).score / 100
    assert score("bleu", texts(*rows)) == pytest.approx(expected, abs=1e-9)


def test_of_several_right_texts_the_nearest_counts():
    from sacrebleu import corpus_chrf

    gold, said = ("a dog ran", "the cat sat on a mat"), "the cat sat"
    expected = corpus_chrf([said], [[each] for each in gold]).score / 100
    answers = texts((gold, said))
    assert score("chrf", answers) == pytest.approx(expected)
    assert score("rouge_1", answers) == pytest.approx(2 * 3 / (3 + 6))


def test_rouge_by_hand():
    answers = texts(("the cat sat on the mat", "the mat sat"), ("a b", "c d"))
    assert score("rouge_1", answers) == pytest.approx((2 * 3 / 9) / 2)
    assert score("rouge_2", answers) == pytest.approx(2 / 7 / 2)
    assert score("rouge_l", answers) == pytest.approx((2 * 2 / 9) / 2)


def test_exact_match_minds_everything_but_white_space_around():
    assert score("exact_match", texts(("ls -l", " ls -l\n"), ("ls -l", "ls -L"), ("ls -l", "ls  -l"))) == 1 / 3


def test_distinct_by_hand():
    answers = texts(("", "a b a b"), ("", "A b"))
    assert score("distinct_1", answers) == 2 / 6
    assert score("distinct_2", answers) == 2 / 4
    assert score("distinct_2", texts(("", ""))) == 0


def test_what_is_not_drawn_has_no_interval():
    (found,) = measure(texts(("", "a b a b"), ("", "A b")), ["distinct_1"])
    assert found.value == 2 / 6 and np.isnan([found.low, found.high]).all()


def test_the_texts_of_a_language_model_by_bytes_and_tokens():
    answers = Likelihoods("t", "test", (), ("0", "1"), np.array([2.0, 4.0]), np.array([2, 4]), np.array([10, 10]))
    assert score("perplexity", answers) == pytest.approx(np.e)
    assert score("bits_per_byte", answers) == pytest.approx(6 / np.log(2) / 20)
    assert answers.told().gold_probability == pytest.approx([np.exp(-1), np.exp(-1)])


def test_preferences_by_hand():
    answers = Preferences("t", "test", (), ("0", "1", "2"), np.array([1.5, -0.5, 0.0]))
    assert score("preference_accuracy", answers) == 0.5
    assert score("reward_margin", answers) == pytest.approx(1 / 3)
    assert answers.told().predicted == ["chosen", "rejected", "rejected"]


def test_ranks_by_hand():
    answers = Ranks("t", "test", (), ("0", "1", "2"), np.array([1, 2, 10]), np.array([20, 20, 20]))
    assert score("mean_reciprocal_rank", answers) == pytest.approx((1 + 0.5 + 0.1) / 3)
    assert [score(f"recall_at_{most}", answers) for most in (1, 5, 10)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert answers.take(np.array([2, 2])).told().predicted == ["10", "10"]


def test_texts_look_for_their_other_half_among_all_different_ones():
    part = kinds.pick("tasks", "similarity").model_validate({"type": "similarity", "data": ["a"], "learn": "pairs"})
    from runner.parts.tasks._task import Place

    angles = [0.0, 1.0, 1.9, 0.1]
    first = [[np.cos(angle), np.sin(angle)] for angle in angles]
    second = [first[0], first[2], first[1], first[0]]
    place = Place("t", "test", ("cosine",), ("0", "1", "2", "3"))
    found = part.gathered(place, ["x", "y", "z", "x"], list(zip(first, second, strict=True)))
    assert isinstance(found, Ranks)
    assert found.ranks.tolist() == [1, 2, 2, 1] and found.candidates.tolist() == [3] * 4
