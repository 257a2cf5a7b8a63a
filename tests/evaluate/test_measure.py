"""Measures: values with intervals that depend on nothing but the seed and the answers."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.evaluate import draws as module
from runner.evaluate.draws import draw
from runner.evaluate.measure import Measure, interval, measure
from tests.parts.answers import answered, made, of_choices

METRICS = of_choices()
FEW = made([0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 0], "abc")

law = settings(max_examples=25, deadline=None, database=None)


def one(answers, metric="accuracy", **options):
    """The only Measure of a metric."""
    (found,) = measure(answers, [metric], **options)
    return found


def same(one, other):
    """Equal measures, where NaN equals NaN."""
    return [list(map(str, vars(each).values())) for each in one] == [
        list(map(str, vars(each).values())) for each in other
    ]


def test_a_measure_says_what_was_measured():
    found = measure(FEW, ["accuracy", "class_recall"], resamples=100)
    assert [(each.task, each.metric, each.value, each.n) for each in found] == [
        ("mood", "accuracy", 4 / 6, 6),
        ("mood", "class_recall.a", 0.5, 6),
        ("mood", "class_recall.b", 1.0, 6),
        ("mood", "class_recall.c", 0.5, 6),
    ]


def test_the_interval_of_four_answers_by_hand():
    # of four draws with three right among four, none is right in 0.4 % of the samples, at most one in 5.1 %
    found = one(made([0, 0, 1, 1], [0, 0, 1, 0]), resamples=2000, method="percentile")
    assert found == Measure("mood", "accuracy", 0.75, 0.25, 1.0, 4)


def test_the_interval_is_the_percentile_bootstrap_of_the_draws():
    from sklearn.metrics import f1_score

    rows = np.concatenate([chunk.rows for chunk in draw(FEW, 200, 7)])
    assert rows.shape == (200, 6)
    scores = [f1_score(FEW.gold[each], FEW.predicted[each], average="macro", zero_division=0) for each in rows]
    found = one(FEW, "macro_f1", confidence=0.9, resamples=200, seed=7, method="percentile")
    assert (found.low, found.high) == pytest.approx(np.percentile(scores, [5, 95]))


def test_a_sample_draws_every_example_alike():
    rows = np.concatenate([chunk.rows for chunk in draw(FEW, 3000, 0)])
    assert np.bincount(rows.ravel(), minlength=6) / rows.size == pytest.approx(np.full(6, 1 / 6), abs=0.01)


@law
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
def test_the_interval_of_accuracy_holds_the_value(right, seed):
    found = one(made([0] * len(right), [int(not each) for each in right]), resamples=200, seed=seed)
    assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("metric", [name for name in METRICS if name != "expected_calibration_error"])
def test_the_interval_of_usual_answers_holds_the_value(metric):
    rng = np.random.default_rng(5)
    gold = rng.integers(3, size=300)
    probabilities = rng.dirichlet(np.ones(3), 300) * 0.5 + np.eye(3)[gold] * 0.5 * rng.random((300, 1))
    probabilities /= probabilities.sum(1, keepdims=True)
    found = measure(made(gold, probabilities.argmax(1), "abc", probabilities), [metric], resamples=300)
    assert found
    assert all(each.low < each.value < each.high for each in found)


def test_the_interval_of_accuracy_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(11)
    covered = 0
    for seed in range(200):
        wrong = (rng.random(100) > 0.8).astype(np.int64)
        found = one(made(np.zeros(100), wrong), resamples=400, seed=seed)
        covered += found.low <= 0.8 <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_more_confidence_is_a_wider_interval():
    narrow, wide = (one(FEW, "macro_f1", confidence=each) for each in (0.5, 0.95))
    assert wide.low < narrow.low <= narrow.value <= narrow.high <= wide.high <= 1


@law
@given(answered(), st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_measures(answers, seed):
    assert same(*(measure(answers, METRICS, resamples=20, seed=seed) for _ in range(2)))


def test_another_seed_task_or_split_draws_other_samples():
    def rows(seed=0, **names):
        return next(draw(made([0, 1] * 10, [0, 1] * 10, **names), 10, seed)).rows.tolist()

    drawn = [rows(), rows(seed=1), rows(task="topic"), rows(split="validation")]
    assert all(drawn.count(each) == 1 for each in drawn)
    assert rows() == drawn[0]


@pytest.mark.parametrize("metric", METRICS)
def test_one_more_metric_changes_no_other(metric):
    alone = measure(FEW, [metric], resamples=50)
    together = measure(FEW, [*reversed(METRICS)], resamples=50)
    assert same(alone, [each for each in together if each.metric.split(".")[0] == metric])


@settings(max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answered(), st.integers(1, 300), st.integers(1, 60))
def test_the_size_of_a_chunk_changes_nothing(monkeypatch, answers, chunk, resamples):
    whole = measure(answers, METRICS, resamples=resamples)
    with monkeypatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        assert same(measure(answers, METRICS, resamples=resamples), whole)


@pytest.mark.parametrize("chunk,sizes", [(1, [1] * 5), (12, [2, 2, 1]), (2**20, [5])])
def test_chunks_hold_as_many_samples_as_fit(monkeypatch, chunk, sizes):
    monkeypatch.setattr(module, "CHUNK", chunk)
    assert [len(each.rows) for each in draw(FEW, 5, 0)] == sizes


@pytest.mark.parametrize("metric", METRICS)
def test_without_answers_nothing_is_known(metric):
    found = one(made([], [], "ab", np.zeros((0, 2))), metric)
    assert (found.task, found.metric, found.n) == ("mood", metric, 0)
    assert all(math.isnan(each) for each in (found.value, found.low, found.high))


@pytest.mark.parametrize("metric", METRICS)
def test_a_single_answer_has_an_interval_without_width(metric):
    found = measure(made([1], [1], "abc", [[0.125, 0.75, 0.125]]), [metric], resamples=100)
    assert [each.n for each in found] == [1]
    assert [(each.low, each.high) for each in found] == [(each.value, each.value) for each in found]


@pytest.mark.parametrize("metric", ["accuracy", "micro_f1", "macro_f1", "class_f1", "balanced_accuracy"])
def test_right_answers_are_certain(metric):
    found = measure(made([0, 1, 2] * 5, [0, 1, 2] * 5), [metric])
    assert [(each.value, each.low, each.high) for each in found] == [(1.0, 1.0, 1.0)] * len(found)


@pytest.mark.parametrize("metric", ["class_recall", "class_precision", "class_f1"])
def test_samples_without_a_label_leave_its_interval_alone(metric):
    found = measure(made([0] * 9 + [1], [0] * 9 + [1]), [metric], resamples=200)
    assert [(each.metric, each.low, each.high) for each in found] == [
        (f"{metric}.a", 1.0, 1.0),
        (f"{metric}.b", 1.0, 1.0),
    ]


@pytest.mark.parametrize(
    "values,expected",
    [
        ([0.0, 1.0, 2.0, 3.0, 4.0], (1.0, 3.0)),
        ([4.0, np.nan, 0.0, 3.0, np.inf, 1.0, 2.0], (1.0, 3.0)),
        ([7.0], (7.0, 7.0)),
    ],
)
def test_an_interval_is_the_middle_of_the_finite_values(values, expected):
    assert interval(np.array(values), 0.5) == expected


@pytest.mark.parametrize("values", [[], [np.nan, np.inf]])
def test_without_finite_values_there_is_no_interval(values):
    assert all(math.isnan(each) for each in interval(np.array(values), 0.95))
