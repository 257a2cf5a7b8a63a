"""`metric_last` is what the points of a curve say, however they came: in any order, in pieces, again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.store import tail
from runner.store.ingest import catch_up
from runner.store.points import last
from tests.store.conftest import NEW_YEAR, clear, content, file_of, log_of, rows

FOUND = """
    SELECT run, split, task, metric, n, first_step, first, last_step, last, min_step, min, max_step, max, best_step, best,
           not_finite, not_finite_step, step, epoch FROM metric_last ORDER BY run, split, task, metric
"""


def summed(points: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The same from rows of `metrics`, in plain Python."""
    curves: dict[tuple[str, ...], list[tuple[int, float | None, float | None]]] = {}
    for run, step, epoch, split, task, metric, value in points:
        curves.setdefault((run, split, task, metric), []).append((step, value, epoch))
    found = []
    for (*place, metric), each in sorted(curves.items()):
        finite = sorted((step, value) for step, value, _ in each if value is not None and math.isfinite(value))
        odd = [step for step, value, _ in each if value is not None and not math.isfinite(value)]
        low = min(finite, key=lambda at: (at[1], at[0]), default=(None, None))
        high = min(finite, key=lambda at: (-at[1], at[0]), default=(None, None))
        ends = [*finite[0], *finite[-1]] if finite else [None] * 4
        best = low if metric == "loss" else high
        tops = [len(odd), min(odd, default=None), max(step for step, *_ in each)]
        epochs = [epoch for *_, epoch in each if epoch is not None]
        found.append((*place, metric, len(each), *ends, *low, *high, *best, *tops, max(epochs, default=None)))
    return found


def check(con: duckdb.DuckDBPyConnection) -> None:
    points = rows(con, "SELECT run, step, epoch, split, task, metric, value FROM metrics")
    assert repr(rows(con, FOUND)) == repr(summed(points))


RECORDS = st.fixed_dictionaries(
    {
        "event": st.just("metrics"),
        "attempt": st.integers(1, 2),
        "time": st.just(NEW_YEAR),
        "step": st.integers(0, 5),
        "values": st.dictionaries(
            st.sampled_from(["loss", "a.f1", "b.f1"]),
            st.sampled_from([0.0, 0.25, 0.5, 1.0, -1.0, math.nan, math.inf, None]),
            min_size=1,
        ),
    },
    optional={"epoch": st.sampled_from([0.0, 0.5, 1.5]), "split": st.sampled_from(["train", "validation"])},
)


@given(st.lists(st.tuples(st.sampled_from(["r", "s"]), RECORDS), max_size=12), st.integers(0, 12))
@settings(max_examples=25, deadline=None, database=None)
def test_sums_are_those_of_the_points(
    tmp_path_factory: pytest.TempPathFactory,
    memory: duckdb.DuckDBPyConnection,
    records: list[tuple[str, dict[str, Any]]],
    cut: int,
) -> None:
    results = tmp_path_factory.mktemp("sums")
    clear(memory)
    for part in (records[:cut], records[cut:]):
        for run, record in part:
            with file_of(results, run).open("a") as stream:
                stream.write(json.dumps(record) + "\n")
        catch_up(memory, results)
        check(memory)
    grown = content(memory)
    clear(memory)
    catch_up(memory, results)
    assert content(memory) == grown


def test_the_first_of_equal_values_is_the_best(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    log = log_of(tmp_path)
    for step, value in ((3, 1.0), (1, 0.5), (2, 1.0)):
        log.write("metrics", step=step, values={"a.f1": value, "loss": value})
    catch_up(con, tmp_path)
    asked = "SELECT metric, best, best_step, last, last_step FROM metric_last ORDER BY metric"
    assert rows(con, asked) == [("f1", 1.0, 2, 1.0, 3), ("loss", 0.5, 1, 1.0, 3)]


def test_points_that_replace_the_best_change_it(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    for attempt, value in ((1, 9.0), (2, 1.0)):
        log_of(tmp_path, attempt=attempt).write("metrics", step=1, values={"a.f1": value})
        catch_up(con, tmp_path)
        assert rows(con, "SELECT n, best FROM metric_last") == [(1, value)]


def test_a_log_that_is_another_one_leaves_no_sums(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    log_of(tmp_path).write("metrics", step=1, values={"a.f1": 1.0})
    catch_up(con, tmp_path)
    file_of(tmp_path).write_bytes(b"")
    catch_up(con, tmp_path)
    assert rows(con, "FROM metric_last") == [] == rows(con, "FROM points")


# Many logs at once.


@pytest.mark.parametrize("size", [1, 300, 2**20])
def test_how_many_logs_go_in_together_changes_nothing(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(tail, "BATCH", size)
    for run in "abcde":
        log_of(tmp_path, run).write("metrics", step=1, values={"loss": 1.0, f"{run}.f1": 0.5})
    logs = sorted((tmp_path / "runs").glob("*/log.jsonl"))
    assert (len(list(tail.batches(logs, {}))) == 1) == (size == 2**20)
    assert catch_up(con, tmp_path) == 5
    assert rows(con, "SELECT run, count(*), count(DISTINCT metric) FROM metrics GROUP BY run ORDER BY run") == [
        (run, 2, 2) for run in "abcde"
    ]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=8))
@settings(max_examples=50, deadline=None, database=None)
def test_the_last_of_equal_keys_is_kept(keys: list[tuple[int, int]]) -> None:
    import numpy as np

    found = last(*np.array(keys, np.int64).reshape(-1, 2).T)
    wanted = [key not in keys[at + 1 :] for at, key in enumerate(keys)]
    assert (found is None) == all(wanted) and (found is None or found.tolist() == wanted)


def test_two_names_for_one_metric_in_a_record_are_one_point(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    log_of(tmp_path).write("metrics", step=1, values={"loss": 1.0, ".loss": 2.0})
    catch_up(con, tmp_path)
    assert rows(con, "SELECT task, metric, value FROM metrics") == [("", "loss", 2.0)]


def test_many_names_of_metrics_are_kept_apart(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    log_of(tmp_path).write("metrics", step=1, values={f"m{at}": float(at) for at in range(5000)})
    catch_up(con, tmp_path)
    assert rows(con, "SELECT count(DISTINCT metric), sum(value) FROM metrics") == [(5000, 5000 * 4999 / 2)]
