"""Views: what is not finite never wins; counts and scores from answers agree with scikit-learn."""

from __future__ import annotations

import json
import math
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from tests.store.conftest import clear, insert, rows

law = settings(max_examples=15, deadline=None, database=None)
NAN, INF = math.nan, math.inf
FLOATS = st.floats(-1e6, 1e6) | st.sampled_from([NAN, INF, -INF])
TRUST = st.floats(0, 1) | st.sampled_from([NAN, INF, -INF]) | st.none()
LABELS = st.sampled_from("abc")


def score(run: str = "r", **fields: Any) -> tuple[Any, ...]:
    """A row of `scores`."""
    row = {"split": "test", "model": "best", "task": "t", "metric": "f1", "position": 0, "value": 0.5} | fields
    return (run, 1, *(row.get(name) for name in (*list(row)[:6], "low", "high", "n")))


def points(values: list[float | None]) -> list[tuple[Any, ...]]:
    """Rows of `metrics`, a step each."""
    return [("r", 1, 0, step, None, "train", "", "loss", value) for step, value in enumerate(values)]


def answers(given: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows of `answers` from (gold, predicted, confidence)."""
    return [("r", 1, "test", "t", at, f"i{at}", g, p, c, c, f"text {at}", None) for at, (g, p, c) in enumerate(given)]


def finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def test_final_scores_stand_beside_the_baselines(con: duckdb.DuckDBPyConnection) -> None:
    given = [
        score(value=0.75, low=0.5, high=1.0, n=8),
        score(model="majority", value=0.25),
        score(model="tfidf", value=0.5),
        score(metric="loss", position=1, value=1.5),
        score(metric="loss", model="majority", value=NAN),
        score(metric="loss", model="before", value=2.5),
        score("other", value=0.0),
    ]
    insert(con, "scores", given)
    assert rows(con, "FROM final_scores ORDER BY run DESC, position") == [
        ("r", "test", "t", "f1", 0, 0.75, 0.5, 1.0, 8, 0.25, 0.5, None),
        ("r", "test", "t", "loss", 1, 1.5, None, None, None, None, None, 2.5),
        ("other", "test", "t", "f1", 0, 0.0, None, None, None, None, None, None),
    ]


def test_nan_never_wins_among_final_scores(con: duckdb.DuckDBPyConnection) -> None:
    values = {"a": 0.25, "b": NAN, "c": 0.75, "d": INF, "e": None}
    insert(con, "scores", [score(run, value=value) for run, value in values.items()])
    assert rows(con, "SELECT run FROM scores ORDER BY value DESC LIMIT 1") != [("c",)]  # what the view guards against
    assert rows(con, "SELECT run FROM final_scores ORDER BY value DESC") == [("c",), ("a",)]
    assert rows(con, "SELECT max(value), avg(value) FROM final_scores") == [(0.75, 0.5)]


def test_nan_never_wins_among_the_ends_of_intervals(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "scores", [score("a", low=0.25, high=0.75), score("b", low=NAN, high=NAN)])
    assert rows(con, "SELECT max(low), max(high) FROM final_scores") == [(0.25, 0.75)]


@given(st.lists(FLOATS | st.none(), max_size=12))
@law
def test_curves_hold_what_is_finite_and_not_finite_counts_the_rest(
    memory: duckdb.DuckDBPyConnection, values: list[float | None]
) -> None:
    clear(memory)
    if values:
        insert(memory, "metrics", points(values))
    good = [value for value in values if finite(value)]
    bad = [step for step, value in enumerate(values) if value is not None and not finite(value)]
    assert rows(memory, "SELECT value FROM curves ORDER BY step") == [(value,) for value in good]
    assert rows(memory, "SELECT max(value) FROM curves") == [(max(good, default=None),)]
    wanted = [("metrics", "r", "train", "", "loss", len(bad), bad[0])] if bad else []
    assert rows(memory, "FROM not_finite") == wanted


def test_not_finite_counts_scores_too(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "scores", [score(value=NAN), score(model="tfidf", value=-INF), score(metric="loss", value=1.0)])
    assert rows(con, "FROM not_finite") == [("scores", "r", "test", "t", "f1", 2, None)]


@given(st.lists(st.tuples(LABELS, LABELS, TRUST), min_size=1, max_size=30))
@law
def test_confusion_is_that_of_scikit_learn(memory: duckdb.DuckDBPyConnection, given: list[tuple[Any, ...]]) -> None:
    clear(memory)
    insert(memory, "answers", answers(given))
    gold, predicted = [each[0] for each in given], [each[1] for each in given]
    matrix = confusion_matrix(gold, predicted, labels=list("abc"))
    wanted = {(g, p): matrix[i, j] for i, g in enumerate("abc") for j, p in enumerate("abc") if matrix[i, j]}
    assert {(g, p): n for g, p, n in rows(memory, "SELECT gold, predicted, count FROM confusion")} == wanted


@given(st.lists(st.tuples(LABELS, LABELS, TRUST), min_size=1, max_size=30))
@law
def test_class_scores_are_those_of_scikit_learn(
    memory: duckdb.DuckDBPyConnection, given: list[tuple[Any, ...]]
) -> None:
    clear(memory)
    insert(memory, "answers", answers(given))
    gold, predicted = [each[0] for each in given], [each[1] for each in given]
    labels = sorted({*gold, *predicted})
    *wanted, support = precision_recall_fscore_support(gold, predicted, labels=labels, zero_division=NAN)
    found = rows(memory, "SELECT label, support, precision, recall, f1 FROM class_scores ORDER BY label")
    assert [each[:2] for each in found] == list(zip(labels, support, strict=True))
    for place, expected in enumerate(wanted, 2):
        numbers = [NAN if each[place] is None else each[place] for each in found]
        assert numbers == pytest.approx(expected.tolist(), nan_ok=True)


@given(st.lists(st.tuples(LABELS, LABELS, TRUST), min_size=1, max_size=20))
@law
def test_the_surest_mistake_comes_first(memory: duckdb.DuckDBPyConnection, given: list[tuple[Any, ...]]) -> None:
    clear(memory)
    insert(memory, "answers", answers(given))
    wrong = [(f"i{at}", c if finite(c) else None) for at, (g, p, c) in enumerate(given) if g != p]
    wrong.sort(key=lambda each: -1.0 if each[1] is None else each[1], reverse=True)
    assert rows(memory, "SELECT id, confidence FROM worst_mistakes") == wrong
    assert rows(memory, "SELECT id, gold_probability FROM worst_mistakes LIMIT 3") == wrong[:3]


def test_an_answer_without_a_label_is_a_mistake(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "answers", answers([("a", None, 0.5), ("a", "a", 0.5), (None, None, 0.5)]))
    assert rows(con, "SELECT run, split, task, id, gold, predicted, text FROM worst_mistakes") == [
        ("r", "test", "t", "i0", "a", None, "text 0")
    ]


def test_the_summary_of_a_run_maps_names_to_values(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "runs", [("r", 1, "n", "d", 13, "t", "p", "f", "c", False, "v", "finished", 0, 1_500_000, 1.5)])
    insert(con, "params", [("r", 1, "train.epochs", "3", 3.0, "integer"), ("r", 1, "name", "n", None, "string")])
    more = [score(task="", metric="loss", position=2, value=1.0), score(split="validation", value=0.0)]
    insert(con, "scores", [score(value=0.75), score(metric="ece", position=1, value=NAN), *more])
    found = rows(con, "SELECT run, seed, params, scores, params['train.epochs'], scores['t.f1'] FROM run_summary")
    assert found == [("r", 13, {"name": "n", "train.epochs": "3"}, {"t.f1": 0.75, "loss": 1.0}, "3", 0.75)]


def test_a_run_without_params_and_scores_is_in_the_summary(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "runs", [("r", 1, "n", *[None] * 8, "running", 0, None, None)])
    assert rows(con, "SELECT run, state, params, scores FROM run_summary") == [("r", "running", None, None)]


def test_params_stand_beside_their_run(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "runs", [("r", 1, "n", None, 13, *[None] * 6, "running", 0, None, None)])
    insert(con, "params", [("r", 1, "rate", "0.5", 0.5, "float")])
    assert rows(con, "FROM run_params") == [("r", "n", 13, "running", "rate", "0.5", 0.5)]


def test_what_preparation_did_is_a_row_a_step(con: duckdb.DuckDBPyConnection) -> None:
    step = {
        "stage": "clean",
        "step": "length",
        "split": "",
        "rows": 9,
        "made": 0,
        "changed": 1,
        "kept": 6,
        "seconds": 0.5,
    }
    more = {"dropped": {"shorter than 2 words": 3}, "flagged": {}, "refused": {}}
    leakage = {**step, **more, "stage": "split", "step": "leakage against test", "split": "train", "dropped": {}}
    stages = {"clean toy test": {"rows": 9, "account": [{**step, **more}, {**leakage, "split": ""}]},
              "split toy": {"account": [leakage]}, "train": {"steps": 3}}  # fmt: skip
    for name, detail in stages.items():
        given = "INSERT INTO stages (run, attempt, name, cached, detail) VALUES ('r', 1, ?, true, ?)"
        con.execute(given, [name, json.dumps(detail)])
    asked = (
        "SELECT stage, split, step, rows, kept, changed, made, dropped, seconds, position FROM preparation ORDER BY ALL"
    )
    assert rows(con, asked) == [
        ("clean toy test", "test", "leakage against test", 9, 6, 1, 0, "{}", 0.5, 1),
        ("clean toy test", "test", "length", 9, 6, 1, 0, '{"shorter than 2 words":3}', 0.5, 0),
        ("split toy", "train", "leakage against test", 9, 6, 1, 0, "{}", 0.5, 0),
    ]
