"""What explains errors: planted wrong labels, planted words and near training rows are found; chance is left out."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from runner.evaluate.confused import cards, confusions
from runner.evaluate.grams import grams
from runner.evaluate.neighbours import neighbours
from runner.evaluate.suspects import spread, suspects

LABELS = "abc"
answers = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)


def rows(pairs: list[tuple[str, str]]) -> list[dict[str, object]]:
    return [
        {"id": str(at), "text": f"text {at}", "gold": g, "predicted": p, "confidence": 0.5 + at / 100}
        for at, (g, p) in enumerate(pairs)
    ]


@given(answers)
def test_cards_are_what_sklearn_says(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = zip(*pairs, strict=True)
    for card in cards(rows(pairs)):
        label = [card["label"]]
        told = {"labels": label, "average": None, "zero_division": 0}
        assert card["f1"] == pytest.approx(f1_score(gold, predicted, **told)[0])
        assert (card["precision"] or 0) == pytest.approx(precision_score(gold, predicted, **told)[0])
        assert (card["recall"] or 0) == pytest.approx(recall_score(gold, predicted, **told)[0])
        assert (card["precision"] is None) == (label[0] not in predicted)


@given(answers)
def test_confusions_are_the_matrix_without_its_diagonal(pairs: list[tuple[str, str]]) -> None:
    matrix = confusion_matrix(*zip(*pairs, strict=True), labels=list(LABELS))
    found = {(each["gold"], each["predicted"]): each["count"] for each in confusions(rows(pairs))}
    expected = {
        (g, p): matrix[i, j] for i, g in enumerate(LABELS) for j, p in enumerate(LABELS) if i != j and matrix[i, j]
    }
    assert found == expected


def test_examples_of_a_confusion_are_the_surest() -> None:
    (each,) = confusions(rows([("a", "b")] * 5 + [("a", "a")]))
    assert [one["id"] for one in each["examples"]] == ["4", "3", "2"] and each["share"] == 5 / 6


def test_a_word_that_goes_with_errors_is_found_and_chance_is_not() -> None:
    rng = random.Random(3)
    texts = [
        " ".join(rng.sample(["red", "green", "blue", "grey", "pink"], 3)) + (" odd" if at % 10 == 0 else "")
        for at in range(300)
    ]
    wrong = [at % 10 == 0 or rng.random() < 0.1 for at in range(300)]
    found = grams(texts, wrong)
    assert found[0].gram == "odd" and found[0].p_holm < 1e-6 and found[0].log_odds > 3
    assert {each.gram for each in found if each.p_holm <= 0.05 and "odd" not in each.gram} == set()
    table = [
        [found[0].wrong, found[0].n - found[0].wrong],
        [sum(wrong) - found[0].wrong, 300 - found[0].n - sum(wrong) + found[0].wrong],
    ]
    assert found[0].p == pytest.approx(fisher_exact(table, "greater")[1])


@settings(max_examples=50)
@given(st.lists(st.tuples(st.text("ab ", max_size=8), st.booleans()), max_size=30))
def test_any_texts_have_grams_that_make_sense(given_: list[tuple[str, bool]]) -> None:
    for each in grams([text for text, _ in given_], [wrong for _, wrong in given_]):
        assert 5 <= each.n < len(given_) and 0 <= each.wrong <= each.n
        assert 0 <= each.p <= each.p_holm <= 1 and math.isfinite(each.log_odds)


def test_planted_wrong_labels_are_found() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(3, size=300)
    sure = rng.uniform(0.9, 0.92, size=300)
    flipped = set(range(0, 300, 30))
    gold = [LABELS[(label + 1) % 3 if at in flipped else label] for at, label in enumerate(truth)]
    predicted = [LABELS[label] for label in truth]
    right = [float((1 - s) / 2) if at in flipped else float(s) for at, s in enumerate(sure)]
    assert set(suspects(gold, predicted, sure.tolist(), right)) == flipped


def test_nothing_is_doubted_where_nothing_is_known() -> None:
    assert suspects(["a", "b"], ["b", "a"], [None, math.nan], [0.1, 0.1]) == []
    assert suspects(["a", "a"], ["a", "a"], [0.9, 0.9], [0.9, 0.9]) == []


def test_probabilities_sum_to_one() -> None:
    found = spread(np.array([0, 1]), np.array([0, 2]), np.array([0.7, 0.6]), np.array([0.7, 0.1]), 4)
    assert found == pytest.approx(np.array([[0.7, 0.1, 0.1, 0.1], [0.15, 0.1, 0.6, 0.15]]))


def test_the_nearest_training_rows_share_the_most_words() -> None:
    train = ["a red house by the sea", "blue cars", "the red house"]
    (near, none) = neighbours(["the red house", "xyz"], train, 2)
    assert [each.place for each in near] == [2, 0] and near[0].similarity == pytest.approx(1, abs=1e-5)
    assert none == [] and neighbours(["a"], [""], 2) == [[]]
