"""Two models on the same examples: literal differences, laws, and how often chance alone raises an alarm."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.evaluate import draws as measuring
from runner.evaluate.paired import chance, paired
from tests.parts.answers import made, of_choices, random
from tests.parts.heads import guessed, toy

METRICS = of_choices()
law = settings(max_examples=20, deadline=None, database=None)


def both(gold, first, second, **names):
    """The answers of two models, one letter a label."""
    return made([*gold, *gold], [*first, *second], **names)


def turned(answers):
    """The second model first."""
    n = len(answers) // 2
    return answers.take(np.r_[n : 2 * n, :n])


def one(answers, metric="accuracy", **options):
    """The only difference in a metric."""
    (found,) = paired(answers, [metric], **options)
    return found


def test_a_difference_by_hand():
    # of eight, the second mends four and spoils none: p of McNemar is 2 / 16
    found = one(both([0] * 8, [1, 1, 1, 1, 0, 0, 0, 0], [0] * 8), resamples=4000)
    assert (found.first, found.second, found.value, found.n, found.mcnemar) == (0.5, 1.0, 0.5, 8, 0.125)
    assert found.p == pytest.approx(0.125, abs=0.02)
    assert (found.low, found.high) == (0.125, 0.875)  # 1 and 7 of 8 draws are mended ones in 96 % of the samples


def test_the_interval_draws_both_models_alike():
    # all that differs is 2 of 8 examples; two draws of their own would spread far wider
    found = one(both([0] * 8, [1, 1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0, 0]), resamples=4000)
    assert found.value == 0.25 and (found.low, found.high) == (0.0, 0.625)


@pytest.mark.parametrize("metric", METRICS)
@law
@given(st.integers(0, 2**32 - 1))
def test_identical_models_do_not_differ(metric, seed):
    answers = random(3, 20, seed)
    twice = answers.take(np.r_[:20, :20])
    for found in paired(twice, [metric], resamples=50):
        assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
        if not kinds.pick("metrics", metric).per_class:
            assert found.p == 1.0
        assert math.isnan(found.mcnemar) or found.mcnemar == 1.0


@pytest.mark.parametrize("kind", kinds.names("tasks"))
@law
@given(st.integers(0, 2**32 - 1))
def test_the_other_way_round_is_the_same_with_another_sign(kind, seed):
    rows = np.random.default_rng(seed).permutation(42)
    answers = guessed(toy(kind), seed)
    # the same examples by two models: any answers to any examples will do
    pairs = answers.take(np.r_[rows, np.roll(rows, 1)])
    metrics = [name for name in kinds.names("metrics") if isinstance(answers, kinds.pick("metrics", name).reads)]
    there, back = (paired(each, metrics, resamples=40) for each in (pairs, turned(pairs)))
    assert [found.metric for found in there] == [found.metric for found in back]
    for a, b in zip(there, back, strict=True):
        near = {"rel": 1e-9, "abs": 1e-9, "nan_ok": True}
        assert (a.value, a.low, a.high) == pytest.approx((-b.value, -b.high, -b.low), **near)
        assert (a.p, a.mcnemar) == pytest.approx((b.p, b.mcnemar), **near)


@pytest.mark.parametrize("metric", [name for name in METRICS if not kinds.pick("metrics", name).per_class])
def test_p_of_few_examples_is_that_of_all_swaps(metric):
    answers = random(3, 12, 5)
    n, part = 6, kinds.pick("metrics", metric)()
    signs = (np.arange(2**n)[:, None] >> np.arange(n)) % 2 > 0
    one, other = np.where(signs, np.arange(n) + n, np.arange(n)), np.where(signs, np.arange(n), np.arange(n) + n)
    gaps = part.scores(answers.resamples(other))[""] - part.scores(answers.resamples(one))[""]
    exact = (np.abs(gaps) > abs(gaps[0]) - 1e-12).mean()
    (found,) = paired(answers, [metric], resamples=4000)
    assert found.value == pytest.approx(gaps[0])
    assert found.p == pytest.approx(exact, abs=0.03)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_equal_models_raise_false_alarms_as_seldom_as_promised(metric):
    rng = np.random.default_rng(3)
    alarms = exact = 0
    for seed in range(400):
        gold = rng.integers(3, size=40)
        first, second = (np.where(rng.random(40) < 0.7, gold, rng.integers(3, size=40)) for _ in range(2))
        found = one(both(gold, first, second, labels="abc"), metric, resamples=199, seed=seed)
        alarms += found.p <= 0.05
        exact += found.mcnemar <= 0.05  # never of NaN
    assert 0.02 <= alarms / 400 <= 0.06
    assert exact / 400 <= 0.06


def test_a_real_difference_is_seen():
    rng = np.random.default_rng(1)
    gold = rng.integers(2, size=300)
    first, second = (np.where(rng.random(300) < right, gold, 1 - gold) for right in (0.7, 0.9))
    found = one(both(gold, first, second), resamples=500)
    assert found.low > 0 and found.p == 1 / 501 and found.mcnemar < 1e-4


def test_metrics_of_one_number_a_label_have_intervals_and_no_test():
    found = paired(both([0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 0]), ["class_recall", "accuracy"], resamples=50)
    assert [each.metric for each in found] == ["class_recall.a", "class_recall.b", "accuracy"]
    assert [each.value for each in found] == [0.5, -0.5, 0.0]
    assert [math.isnan(each.p) for each in found] == [True, True, False]


def test_the_size_of_a_chunk_and_other_metrics_change_nothing(monkeypatch):
    answers = random(3, 60, 2)
    whole = paired(answers, METRICS, resamples=30)
    monkeypatch.setattr(measuring, "CHUNK", 70)
    few = [found for metric in METRICS for found in paired(answers, [metric], resamples=30)]
    assert repr(few) == repr(whole)


def test_without_examples_there_is_nothing_to_say():
    assert paired(made([], [], "ab", np.zeros((0, 2))), METRICS) == []


@pytest.mark.parametrize(
    "value,swapped,p",
    [
        (0.5, [0.5, -0.5, 0.25, 0.0], 3 / 5),
        (0.0, [0.0, 0.0], 1.0),
        (0.5, [math.nan, 0.0], 2 / 3),
        (0.3, [0.1 + 0.2, 0.0], 2 / 3),
        (math.nan, [0.5], math.nan),
        (0.5, [], math.nan),
    ],
)
def test_chance_counts_what_was_seen_and_differences_as_large(value, swapped, p):
    assert chance(value, np.array(swapped)) == pytest.approx(p, nan_ok=True)
