"""Metrics of several labels, numbers and tags: against scikit-learn and scipy, or by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.answers.quantities import Quantities
from runner.answers.sets import Sets
from runner.answers.tags import Tags, spans_of

law = settings(max_examples=25, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)
numbers = st.lists(st.tuples(st.floats(-9, 9, width=16), st.floats(-9, 9, width=16)), min_size=2, max_size=30)


def score(metric, answers):
    return kinds.pick("metrics", metric)().score(answers)


def sets(seed, size=30, labels="abc"):
    """Answers with chances that tie now and then."""
    rng = np.random.default_rng(seed)
    gold = rng.random((size, len(labels))) < rng.random(len(labels))
    chances = np.round(rng.random((size, len(labels))), 1)
    return Sets("t", "test", tuple(labels), (), gold, chances >= 0.5, chances)


def quantities(pairs):
    gold, predicted = np.array(pairs, np.float64).T
    return Quantities("t", "test", (), (), gold, predicted)


@law
@given(seeds)
def test_scores_of_sets_equal_those_of_scikit_learn(seed):
    from sklearn import metrics

    answers = sets(seed)
    gold, predicted = answers.gold, answers.predicted
    occurring = (gold | predicted).any(0)
    assert score("hamming_loss", answers)[""] == pytest.approx(metrics.hamming_loss(gold, predicted))
    assert score("subset_accuracy", answers)[""] == pytest.approx(metrics.accuracy_score(gold, predicted))
    micro = metrics.f1_score(gold, predicted, average="micro", zero_division=0)
    assert score("micro_f1", answers)[""] == pytest.approx(micro)
    each = metrics.f1_score(gold, predicted, average=None, zero_division=0)
    assert score("macro_f1", answers)[""] == pytest.approx(each[occurring].mean() if occurring.any() else 0)
    samples = metrics.f1_score(gold, predicted, average="samples", zero_division=1)
    assert score("samples_f1", answers)[""] == pytest.approx(samples)


@law
@given(seeds)
def test_average_precision_equals_that_of_scikit_learn(seed):
    from sklearn.metrics import average_precision_score

    answers = sets(seed)
    there = answers.gold.any(0)
    if there.any():
        expected = average_precision_score(answers.gold[:, there], answers.probabilities[:, there], average="macro")
        assert score("average_precision", answers)[""] == pytest.approx(expected)


@law
@given(numbers)
def test_scores_of_numbers_equal_those_of_others(pairs):
    from scipy import stats
    from sklearn import metrics

    answers = quantities(pairs)
    gold, predicted = answers.gold, answers.predicted
    assert score("mean_absolute_error", answers)[""] == pytest.approx(metrics.mean_absolute_error(gold, predicted))
    root = metrics.root_mean_squared_error(gold, predicted)
    assert score("root_mean_squared_error", answers)[""] == pytest.approx(root)
    if np.ptp(gold) > 1e-2 and np.ptp(predicted) > 1e-2:
        assert score("r2", answers)[""] == pytest.approx(metrics.r2_score(gold, predicted), rel=1e-6, abs=1e-6)
        assert score("pearson", answers)[""] == pytest.approx(stats.pearsonr(gold, predicted)[0], abs=1e-6)
        assert score("spearman", answers)[""] == pytest.approx(stats.spearmanr(gold, predicted)[0], abs=1e-9)


@pytest.mark.parametrize("metric", ["pearson", "spearman", "r2"])
def test_nothing_is_known_of_numbers_that_are_all_equal(metric):
    assert np.isnan(score(metric, quantities([(0.1, 1), (0.1, 2), (0.1, 3)]))[""])


@pytest.mark.parametrize(
    "tags,expected",
    [
        ("O B-A I-A O B-B", [("A", 1, 3), ("B", 4, 5)]),
        ("B-A B-A I-A", [("A", 0, 1), ("A", 1, 3)]),
        ("I-A I-A", []),
        ("B-A I-B I-A", [("A", 0, 1)]),
        ("O O", []),
        ("", []),
    ],
)
def test_spans_are_those_of_strict_iob2(tags, expected):
    assert [tuple(span) for span in spans_of(tags.split())] == expected


def test_scores_of_spans_by_hand():
    gold = (["B-A", "I-A", "O", "B-B"], ["O", "B-B"], ["B-A"])
    predicted = (["B-A", "I-A", "O", "B-A"], ["O", "B-B"], ["O"])
    labels = ("O", "B-A", "I-A", "B-B", "I-B")
    answers = Tags("t", "test", labels, (), tuple(map(tuple, gold)), tuple(map(tuple, predicted)), True)
    assert score("micro_f1", answers)[""] == pytest.approx(2 * 2 / (4 + 3))
    assert score("class_f1", answers) == pytest.approx({"A": 0.5, "B": 2 / 3})
    assert score("macro_f1", answers)[""] == pytest.approx((0.5 + 2 / 3) / 2)
    assert score("tag_accuracy", answers)[""] == pytest.approx(5 / 7)


def test_words_that_were_cut_away_are_missed():
    answers = Tags("t", "test", ("x", "y"), (), (("x", "y", "y"),), (("x", "", ""),), False)
    assert score("tag_accuracy", answers)[""] == pytest.approx(1 / 3)
    assert score("class_recall", answers) == pytest.approx({"x": 1.0, "y": 0.0})
