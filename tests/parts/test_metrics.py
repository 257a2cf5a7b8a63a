"""Laws of every metric, and each one against scikit-learn or by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from tests.parts.answers import LETTERS, answered, made, of_choices

METRICS = of_choices()
PER_CLASS = tuple(name for name in METRICS if kinds.pick("metrics", name).per_class)
SURPRISE = -math.log(np.finfo(np.float64).eps)  # of a gold label with probability 0
RANGES = {
    "matthews": (-1.0, 1.0),
    "quadratic_kappa": (-1.0, 1.0),
    "log_loss": (0.0, SURPRISE),
    "brier_score": (0.0, 2.0),
}
OURS = ("aurc", "expected_calibration_error")  # which scikit-learn has not

every_metric = pytest.mark.parametrize("name", METRICS)
law = settings(max_examples=15, deadline=None, database=None)


def score(name, answers):
    return kinds.pick("metrics", name)().score(answers)


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def by_sklearn(name, answers):
    """The same score from scikit-learn."""
    from sklearn import metrics

    gold, predicted, every = answers.gold, answers.predicted, range(len(answers.labels))
    macro = {"average": "macro", "zero_division": 0}
    return {
        "accuracy": lambda: metrics.accuracy_score(gold, predicted),
        "brier_score": lambda: metrics.brier_score_loss(gold, answers.probabilities, labels=every, scale_by_half=False),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(gold, predicted),
        "quadratic_kappa": lambda: np.nan_to_num(
            metrics.cohen_kappa_score(gold, predicted, labels=every, weights="quadratic")
        ),
        "log_loss": lambda: metrics.log_loss(gold, answers.probabilities, labels=every),
        "macro_f1": lambda: metrics.f1_score(gold, predicted, **macro),
        "matthews": lambda: metrics.matthews_corrcoef(gold, predicted),
        "micro_f1": lambda: metrics.f1_score(gold, predicted, average="micro"),
        "precision": lambda: metrics.precision_score(gold, predicted, **macro),
        "recall": lambda: metrics.recall_score(gold, predicted, **macro),
        "weighted_f1": lambda: metrics.f1_score(gold, predicted, average="weighted", zero_division=0),
    }[name]()


def classes_by_sklearn(name, answers):
    """The score of each label that occurs, from scikit-learn."""
    from sklearn import metrics

    ask = {"class_f1": "f1_score", "class_precision": "precision_score", "class_recall": "recall_score"}[name]
    occurring = sorted({*answers.gold.tolist(), *answers.predicted.tolist()})
    values = getattr(metrics, ask)(answers.gold, answers.predicted, labels=occurring, average=None, zero_division=0)
    return {answers.labels[code]: value for code, value in zip(occurring, values, strict=True)}


@every_metric
@law
@given(answered(), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(name, answers, seed):
    rows = np.random.default_rng(seed).permutation(len(answers))
    assert score(name, answers.take(rows)) == near(score(name, answers))


@every_metric
@law
@given(st.integers(2, 6), st.integers(0, 30))
def test_perfect_and_sure_answers_score_best(name, count, more):
    gold = [*range(count), *[1] * more]
    best = 1.0 if kinds.pick("metrics", name).higher_is_better else 0.0
    keys = LETTERS[:count] if name in PER_CLASS else [""]
    assert score(name, made(gold, gold)) == near(dict.fromkeys(keys, best))


@every_metric
@law
@given(answered())
def test_a_score_stays_within_its_range(name, answers):
    low, high = RANGES.get(name, (0.0, 1.0))
    assert all(low - 1e-12 <= value <= high + 1e-12 for value in score(name, answers).values())


@every_metric
@law
@given(answered())
def test_the_keys_are_the_labels_that_occur_or_the_empty_word(name, answers):
    occurring = {answers.labels[code] for code in (*answers.gold, *answers.predicted)}
    assert set(score(name, answers)) == (occurring if name in PER_CLASS else {""})


@every_metric
@law
@given(answered())
def test_the_score_is_the_value_of_the_sample_that_takes_every_row_once(name, answers):
    part = kinds.pick("metrics", name)()
    values = part.values(answers.resamples(np.arange(len(answers))[None]))
    assert values.shape == ((1, len(answers.labels)) if part.per_class else (1,))
    assert list(part.score(answers).values()) == values[~np.isnan(values)].tolist()


@every_metric
@law
@given(answered(), st.integers(0, 2**32 - 1))
def test_many_samples_at_once_score_as_one_by_one(name, answers, seed):
    rows = np.random.default_rng(seed).integers(len(answers), size=(4, len(answers)))
    together = kinds.pick("metrics", name)().scores(answers.resamples(rows))
    for index, each in enumerate(rows):
        here = {key: values[index] for key, values in together.items() if not np.isnan(values[index])}
        assert here == near(score(name, answers.take(each)))


@pytest.mark.parametrize("name", [name for name in METRICS if name not in (*PER_CLASS, *OURS)])
@pytest.mark.filterwarnings("ignore::UserWarning")
@law
@given(answered())
def test_a_score_equals_that_of_scikit_learn(name, answers):
    assert score(name, answers)[""] == near(by_sklearn(name, answers))


@pytest.mark.parametrize("name", PER_CLASS)
@law
@given(answered())
def test_the_score_of_a_label_equals_that_of_scikit_learn(name, answers):
    assert score(name, answers) == near(classes_by_sklearn(name, answers))


@pytest.mark.parametrize(
    "name,expected",
    [
        ("class_f1", {"a": 0.8, "b": 2 / 3, "c": 0.0, "d": 0.0}),
        ("class_precision", {"a": 1.0, "b": 0.5, "c": 0.0, "d": 0.0}),
        ("class_recall", {"a": 2 / 3, "b": 1.0, "c": 0.0, "d": 0.0}),
        ("accuracy", {"": 0.6}),
        ("balanced_accuracy", {"": (2 / 3 + 1) / 3}),
        ("macro_f1", {"": (0.8 + 2 / 3) / 4}),
        ("micro_f1", {"": 0.6}),
        ("precision", {"": 1.5 / 4}),
        ("recall", {"": (2 / 3 + 1) / 4}),
        ("weighted_f1", {"": (3 * 0.8 + 2 / 3) / 5}),
    ],
)
def test_five_answers_by_hand(name, expected):
    assert score(name, made([0, 0, 0, 1, 2], [0, 0, 1, 1, 3], "abcde")) == near(expected)


def test_matthews_by_hand():
    assert score("matthews", made([1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 1]))[""] == near(1 / 3)
    assert score("matthews", made([0, 0, 1, 1], [1, 1, 0, 0]))[""] == near(-1)
    assert score("matthews", made([0, 1, 0, 1], [0, 0, 0, 0]))[""] == 0


@pytest.mark.parametrize("count", [2, 3])
def test_matthews_of_right_answers_is_exactly_one(count):
    gold = list(range(count))
    assert score("matthews", made(gold, gold))[""] == 1


def test_log_loss_by_hand():
    halves = made([0, 1], [0, 0], probabilities=[[0.5, 0.5], [0.75, 0.25]])
    assert score("log_loss", halves)[""] == near((math.log(2) + math.log(4)) / 2)
    assert score("log_loss", made([1], [0]))[""] == near(36.04365338911715)


@pytest.mark.parametrize(
    "answers,expected",
    [
        ([(0.95, True), (0.95, False), (0.6, True), (0.8, True)], (0.9 + 0.4 + 0.2) / 4),
        ([(0.6, True), (0.59, False)], (0.59 - 0.4) / 2),
        ([(0.6, True), (0.61, False)], (0.4 + 0.61) / 2),
        ([(0.66, True), (0.67, False)], (0.34 + 0.67) / 2),
        ([(1.0, True), (1.0, True)], 0.0),
        ([(1.0, False), (1.0, False)], 1.0),
        ([(0.75, True), (0.75, True), (0.75, True), (0.75, False)], 0.0),
    ],
    ids=[
        "four bins",
        "same bin",
        "bins are closed above",
        "fifteen bins",
        "sure and right",
        "sure and wrong",
        "calibrated",
    ],
)
def test_calibration_error_by_hand(answers, expected):
    gold = [0 if right else 1 for _, right in answers]
    probabilities = [[confidence, 1 - confidence] for confidence, _ in answers]
    made_so = made(gold, [0] * len(gold), probabilities=probabilities)
    assert score("expected_calibration_error", made_so)[""] == near(expected)


def test_brier_score_by_hand():
    halves = made([0, 1], [0, 0], probabilities=[[0.5, 0.5], [0.75, 0.25]])
    assert score("brier_score", halves)[""] == near((0.5 + 1.125) / 2)
    assert score("brier_score", made([1], [0]))[""] == near(2)


@pytest.mark.parametrize(
    "answers,expected",
    [
        ([(0.9, True), (0.8, False), (0.7, True)], (0 + 1 / 2 + 1 / 3) / 3),
        ([(0.9, False), (0.8, True), (0.7, True)], (1 + 1 / 2 + 1 / 3) / 3),
        ([(0.8, True), (0.8, False), (0.6, True)], (1 / 2 + 1 / 2 + 1 / 3) / 3),
        ([(0.6, False), (0.6, False)], 1.0),
        ([(0.6, True)], 0.0),
    ],
    ids=["a sure mistake", "the surest mistake", "equally sure", "all wrong", "right"],
)
def test_area_under_risk_and_coverage_by_hand(answers, expected):
    gold = [0 if right else 1 for _, right in answers]
    probabilities = [[confidence, 1 - confidence] for confidence, _ in answers]
    assert score("aurc", made(gold, [0] * len(gold), probabilities=probabilities))[""] == near(expected)


@law
@given(answered(), st.integers(0, 2**32 - 1))
def test_area_is_the_mean_over_all_orders_of_the_equally_sure(answers, seed):
    rng = np.random.default_rng(seed)
    confidence = np.round(answers.probabilities.max(1), 1)  # many ties
    wrong = answers.gold != answers.predicted
    tied = made(answers.gold, answers.predicted, LETTERS[: len(answers.labels)], np.eye(len(answers.labels))[answers.predicted] * confidence[:, None])  # fmt: skip
    found = score("aurc", tied)[""]
    areas = []
    for _ in range(400):
        shuffled = rng.permutation(len(wrong))
        order = shuffled[np.argsort(-confidence[shuffled], kind="stable")]
        areas.append((wrong[order].cumsum() / np.arange(1, len(wrong) + 1)).mean())
    assert found == pytest.approx(np.mean(areas), abs=0.05)
