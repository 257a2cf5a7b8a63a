"""Macros: what they say, of which runs, and that they keep their columns."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import pytest
from scipy import stats

from runner import kinds
from runner.errors import RunnerError
from runner.store.macros import LOWER, MACROS
from runner.store.query import query
from runner.store.tables import TABLES
from runner.store.views import VIEWS
from tests.store.conftest import insert, log_of, rows, start
from tests.store.runs import GOLD, run, said

CALLS = {
    "curve": "curve('r', 'loss')",
    "compare": "compare('r', 's')",
    "worst_answers": "worst_answers('r', 't')",
    "disagreements": "disagreements('r', 's')",
    "data_lineage": "data_lineage('r')",
}


def row(table: str, **values: object) -> tuple[object, ...]:
    """A row of a table, null where nothing is said."""
    return tuple(({"run": "r", "attempt": 1} | values).get(column) for column in TABLES[table].columns)


def ask(results: Path, sql: str) -> list[tuple[object, ...]]:
    table = query(results, sql)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_every_macro_of_rows_has_a_call_here_and_the_columns_that_are_described(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "runs", [row("runs"), row("runs", run="s")])
    assert {name for name, macro in MACROS.items() if macro.columns} == set(CALLS)
    for name, call in CALLS.items():
        assert [column for column, *_ in rows(con, f"DESCRIBE FROM {call}")] == list(MACROS[name].columns), name


def test_every_macro_says_what_it_does(con: duckdb.DuckDBPyConnection) -> None:
    told = "SELECT function_name, comment, parameters FROM duckdb_functions() WHERE NOT internal"
    found = {name: (comment, tuple(parameters)) for name, comment, parameters in rows(con, told)}
    assert found == {name: (macro.comment, macro.parameters) for name, macro in MACROS.items()}
    assert all(sentence for macro in MACROS.values() for sentence in macro.columns.values())


@pytest.mark.parametrize("bare", [False, True], ids=["whole", "bare"])
@pytest.mark.parametrize("asked", [*VIEWS, *CALLS.values()])
def test_a_limit_is_kept(results: Path, asked: str, bare: bool) -> None:
    # DuckDB 2.0.1 forgets the limit over a left join with an empty table
    for name in ("r", "s"):
        start(log_of(results, name)) if bare else run(results, name, said(GOLD, [1, 3, 4]), seed=ord(name), grid={})
    call = asked.replace("'t'", "'mood'")
    assert len(ask(results, f"FROM {call} LIMIT 1")) <= 1
    assert len(ask(results, f"SELECT * FROM (FROM {call}) LIMIT 1")) <= 1


# Words for runs and metrics.


def test_a_run_is_named_by_the_only_beginning(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "runs", [row("runs", run=name) for name in ("first-s1", "first-s11", "second")])
    for word, name in {"first-s1": "first-s1", "first-s11": "first-s11", "s": "second"}.items():
        assert rows(con, f"SELECT run_named('{word}')") == [(name,)]


def test_a_word_for_no_run_or_several_is_refused_with_a_hint(results: Path) -> None:
    for name in ("first", "fifth"):
        run(results, name)
    for word, count in {"f": 2, "third": 0}.items():
        with pytest.raises(RunnerError, match=f"`{word}` names {count} runs") as caught:
            query(results, f"FROM curve('{word}', 'loss')")
        assert caught.value.hint == "`runner ls` lists the runs; the beginning of a name must be that of one only"


def test_a_misspelt_macro_is_told(results: Path) -> None:
    with pytest.raises(RunnerError) as caught:
        query(results, "FROM disagreement('a', 'b')")
    assert caught.value.hint == "did you mean `disagreements`?"


def test_metrics_of_which_less_is_better_are_those_of_the_parts() -> None:
    found = {name for name in kinds.names("metrics") if not kinds.pick("metrics", name).higher_is_better}
    assert found | {"loss"} == set(LOWER)


def test_quantiles_are_those_of_scipy(con: duckdb.DuckDBPyConnection) -> None:
    for df in [*range(1, 40), 60, 100, 1000]:
        assert rows(con, f"SELECT t_quantile({df})")[0][0] == pytest.approx(stats.t.ppf(0.975, df), rel=1e-5)
    assert rows(con, "SELECT t_quantile(0)") == [(None,)]


# What each says.


def test_a_curve_by_metric_or_by_task_and_metric(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "runs", [row("runs")])
    points = [
        ("a", "loss", 2, 0.5),
        ("a", "loss", 1, 1.0),
        ("b", "loss", 1, 2.0),
        ("b", "f1", 1, 3.0),
        ("b", "loss", 2, math.nan),
    ]
    insert(con, "metrics", [row("metrics", task=t, metric=m, step=s, split="train", value=v) for t, m, s, v in points])
    assert rows(con, "SELECT task, step, value FROM curve('r', 'loss')") == [
        ("a", 1, 1.0),
        ("a", 2, 0.5),
        ("b", 1, 2.0),
    ]
    assert rows(con, "SELECT task, value FROM curve('r', 'b.loss')") == [("b", 2.0)]


def test_scores_side_by_side(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "runs", [row("runs"), row("runs", run="s")])
    given = [
        ("r", "f1", 0.5),
        ("s", "f1", 0.75),
        ("r", "log_loss", 1.0),
        ("s", "log_loss", 1.25),
        ("r", "x", 0.5),
        ("s", "x", 0.5),
        ("s", "new", 1.0),
    ]
    insert(con, "scores", [
        row("scores", run=run, split="test", model="best", task="t", metric=metric, position=at, value=value, n=8)
        for at, (run, metric, value) in enumerate(given)
    ])  # fmt: skip
    assert rows(con, "SELECT metric, value_a, value_b, difference, better FROM compare('r', 's')") == [
        ("f1", 0.5, 0.75, 0.25, "b"),
        ("log_loss", 1.0, 1.25, 0.25, "a"),
        ("x", 0.5, 0.5, 0.0, ""),
        ("new", None, 1.0, None, None),
    ]


@pytest.mark.parametrize(
    "shape,told",
    [
        ("choices", [("a", "a", 0.875, 0.125), ("a", "b", 0.25, 0.75)]),
        ("quantities", [("1.5", "1", None, 0.5), ("-1", "2.5", None, 3.5)]),
        ("sets", [('["a"]', '["a", "b"]', None, 1.0), ('["a", "c"]', '["b"]', None, 3.0)]),
        ("tags", [('["O", "O"]', '["O", "B-x"]', None, 1.0), ('["a", "b"]', '["b", "a"]', None, 2.0)]),
        ("texts", [("yes", "yes", None, 0.0), ("yes", "no", None, 1.0)]),
        ("ranks", [("1", "1", None, 0.0), ("1", "7", None, 6.0)]),
        ("likelihoods", [("{}", "{}", 0.75, 0.25), ("{}", "{}", 0.5, 0.5)]),
        ("preferences", [("chosen", "chosen", 0.75, 0.25), ("chosen", "rejected", 0.25, 0.75)]),
        (None, [("a", "a", 0.875, 0.125), ("a", "b", math.nan, None)]),
    ],
)
def test_the_worst_answers_of_each_shape_come_first(con: duckdb.DuckDBPyConnection, shape, told) -> None:  # type: ignore[no-untyped-def]
    insert(con, "runs", [row("runs")])
    insert(con, "answers", [
        row("answers", split="test", task="t", position=at, id=f"i{at}", gold=g, predicted=p, gold_probability=c, shape=shape)
        for at, (g, p, c, _) in enumerate(told)
    ])  # fmt: skip
    wanted = sorted(
        [(f"i{at}", each[3]) for at, each in enumerate(told)], key=lambda each: -1 if each[1] is None else each[1]
    )
    assert rows(con, "SELECT id, wrong FROM worst_answers('r', 't')") == wanted[::-1]


def test_shapes_side_by_side_do_not_disturb_each_other(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "runs", [row("runs")])
    given = [
        ("sets", '["a"]', '["b"]'),
        ("choices", "a", "b"),
        ("quantities", "1", "2"),
        ("tags", '["a"]', '["a"]'),
        ("texts", "[", "x"),
    ]
    insert(con, "answers", [
        row("answers", split="test", task="t", position=at, id=shape, gold=g, predicted=p, gold_probability=0.25, shape=shape)
        for at, (shape, g, p) in enumerate(given)
    ])  # fmt: skip
    found = dict(rows(con, "SELECT id, wrong FROM worst_answers('r', 't')"))
    assert found == {"sets": 2.0, "choices": 0.75, "quantities": 1.0, "tags": 0.0, "texts": 1.0}


def test_disagreements_say_who_was_right(results: Path) -> None:
    run(results, "one", said(GOLD, [1, 3]))
    run(results, "two", said(GOLD, [3, 4]))
    asked = "SELECT id, gold, predicted_a, predicted_b, right_a, right_b, gold_differs, text FROM disagreements('one', 'two')"
    assert ask(results, asked) == [
        ("i1", "b", "c", "b", False, True, False, "text 1"),
        ("i4", "b", "b", "c", True, False, False, "text 4"),
    ]


def test_the_lineage_of_rows_begins_with_the_files(results: Path) -> None:
    log = log_of(results, "r")
    start(log)
    log.write("data", data="films", split="train", file="a.csv", sha256="11", rows=9)
    step = {"stage": "clean", "step": "read", "split": "", "rows": 9, "kept": 9, "dropped": {}}
    length = step | {"step": "length", "kept": 6, "dropped": {"short": 3}}
    log.write("stage", name="clean films train", key="k1", cached=True, rows=6, detail={"account": [step, length]})
    log.write("stage", name="encode films:text train", key="k2", cached=False, rows=6, detail={"rows": 6})
    log.write("stage", name="train", key="k3", cached=False, rows=6, detail={})
    assert ask(results, "FROM data_lineage('r')") == [
        ("films", "train", "file", "a.csv", "11", 9, 9, None, None),
        ("films", "train", "clean", "read", "k1", 9, 9, "{}", True),
        ("films", "train", "clean", "length", "k1", 9, 6, '{"short":3}', True),
        ("films", "train", "encode", "films:text", "k2", 6, 6, None, False),
    ]


# Standings.


def test_settings_are_equal_but_for_seeds_names_and_paths(results: Path) -> None:
    run(results, "one")
    run(results, "two", experiment="other", seed=14, spec={"data.films.train": "elsewhere/a.csv", "execute.workers": 4})
    run(results, "three", spec={"train.epochs": 4})
    run(results, "four", files={"train": "33"})
    found = dict(ask(results, "SELECT run, setting FROM settings"))
    assert found["one"] == found["two"]
    assert len({*found.values()}) == 3


def test_statistics_over_seeds_are_those_of_scipy(results: Path) -> None:
    scores = [run(results, f"r{seed}", said(GOLD, range(seed)), seed=seed) and 1 - seed / 40 for seed in (1, 2, 5)]
    run(results, "alone", spec={"train.epochs": 4})
    run(results, "failed", said(GOLD, range(30)), seed=9, state="failed")
    asked = "SELECT seeds, mean, sd, low, high, runs FROM seed_stats WHERE metric = 'accuracy' ORDER BY seeds DESC"
    many, few = ask(results, asked)
    low, high = stats.t.interval(0.95, 2, sum(scores) / 3, stats.sem(scores))
    assert many[:5] == pytest.approx((3, sum(scores) / 3, stats.tstd(scores), low, high))
    assert many[5] == ["r1", "r2", "r5"]
    assert few == (1, 1.0, None, None, None, ["alone"])


def test_the_leaderboard_ranks_what_was_asked_the_same(results: Path) -> None:
    loss = {"log_loss": 0.5, "macro_f1": 0.75}
    run(results, "worse", experiment="worse", spec={"a": 1}, scores=loss | {"log_loss": 0.75})
    run(results, "best", experiment="best", spec={"a": 2}, scores=loss)
    run(
        results,
        "elsewhere",
        experiment="elsewhere",
        spec={"a": 3},
        scores=loss,
        ids=[f"x{place}" for place in range(40)],
    )
    found = ask(results, "SELECT name, place, metric, mean FROM leaderboard ORDER BY name")
    assert found == [
        ("best", 1, "log_loss", 0.5),
        ("elsewhere", 1, "log_loss", 0.5),
        ("worse", 2, "log_loss", 0.75),
    ]


def test_a_wide_row_has_what_is_asked_for_most(results: Path) -> None:
    run(results, "one", spec={"model.adapter.type": "lora", "model.adapter.rank": 8})
    asked = "SELECT run, base, adapter, rank, epochs, learning_rate, batch_size, task, metric, value, params['train.epochs'] FROM runs_wide"
    assert ask(results, asked) == [("one", "package:x", "lora", 8, 3.0, 0.001, None, "mood", "accuracy", 1.0, "3")]


def test_only_what_is_at_work_is_live(results: Path) -> None:
    run(results, "done")
    log = log_of(results, "busy")
    start(log)
    for step, loss in ((1, 2.0), (2, 1.5), (3, math.nan)):
        log.write("metrics", split="train", step=step, epoch=step / 4, values={"loss": loss, "t.loss": 9.0})
    asked = "SELECT run, host, step, epoch, loss, seconds = silent AND silent > 1e6 FROM live"
    assert ask(results, asked) == [("busy", "elsewhere", 3, 0.75, 1.5, True)]


def test_failures_count_by_class_and_message(results: Path) -> None:
    for name, message in {"a": "loss is nan at step 12", "b": "loss is nan at step 7.5", "c": "no space"}.items():
        log = log_of(results, name)
        start(log)
        log.write("failure", kind="RunnerError", message=message, trace="", step=1)
        log.write("run_finished", state="failed", seconds=1.0)
    asked = "SELECT kind, message, count, runs FROM failures_by_class"
    assert ask(results, asked) == [
        ("RunnerError", "loss is nan at step #", 2, 2),
        ("RunnerError", "no space", 1, 1),
    ]
