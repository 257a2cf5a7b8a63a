"""From logs to tables: every event literally, and laws of cutting, replacing, rebuilding and odd records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import RunnerError
from runner.store import tail
from runner.store.ingest import catch_up, ingest, rebuild, settle
from runner.store.query import query
from runner.store.records import EVENTS
from tests.store.conftest import ELSEWHERE, NEW_YEAR, ask, clear, content, file_of, log_of, rows, start, stored

AT = datetime(2024, 1, 1)
Rows = list[tuple[Any, ...]]


def law(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, database=None)


# Every event has its table.


def test_the_start_of_a_run_becomes_its_row(tmp_path: Path) -> None:
    start(
        log_of(tmp_path),
        name="experiment",
        description="a first try",
        trial_key="t",
        plan_key="p",
        spec_file="a.toml",
        environment={"git_commit": "abc", "git_dirty": True, "packages": {"numpy": "2.0", "torch": None}},
        version="0.1.0",
        spec_text='name = "x"\n',
        spec_resolved={"rate": float("inf")},
    )
    assert ingest(tmp_path) == 1
    identity = ("experiment", "a first try", 13, "t", "p", "a.toml", "abc", True, "0.1.0")
    assert ask(tmp_path, "FROM runs") == [("demo", 1, *identity, "running", AT, None, None)]
    assert ask(tmp_path, "FROM specs") == [("demo", 1, 'name = "x"\n', '{"rate":"Infinity"}')]
    assert ask(tmp_path, "FROM packages ORDER BY name") == [("demo", 1, "numpy", "2.0"), ("demo", 1, "torch", None)]
    environment = '{"git_commit":"abc","git_dirty":true,"packages":{"numpy":"2.0","torch":null}}'
    assert ask(tmp_path, "FROM attempts") == [("demo", 1, AT, 7, "elsewhere", environment, None, None, "running")]


def test_values_of_the_spec_become_params_with_their_kinds(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    params = {"a": 3, "b": 0.5, "c": True, "d": "ü", "e": [1, "x"], "f": {"g": 1}, "h": None, "i": float("nan")}
    start(log_of(tmp_path), params=params)
    catch_up(con, tmp_path)
    assert rows(con, "SELECT name, value, number, kind FROM params ORDER BY name") == [
        ("a", "3", 3.0, "integer"),
        ("b", "0.5", 0.5, "float"),
        ("c", "true", None, "boolean"),
        ("d", "ü", None, "string"),
        ("e", '[1,"x"]', None, "list"),
        ("f", '{"g":1}', None, "table"),
        ("h", None, None, "null"),
        ("i", "NaN", None, "string"),
    ]


def test_the_end_of_a_run_completes_its_attempt(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    log = log_of(tmp_path)
    start(log)
    log.write("run_finished", state="finished", seconds=2.5)
    catch_up(con, tmp_path)
    assert rows(con, "SELECT finished, seconds, state FROM attempts") == [(AT, 2.5, "finished")]
    assert rows(con, "SELECT attempts, state, finished, seconds FROM runs") == [(1, "finished", AT, 2.5)]


EACH: list[tuple[str, dict[str, Any], str, Rows]] = [
    (
        "dropped",
        {
            "data": "films",
            "position": 1000,
            "split": ["train", "train"],
            "file": ["a.csv", "a.csv"],
            "line": [2, 9],
            "id": ["", "x"],
            "step": ["read", "leakage"],
            "reason": ["`text` is empty", "also in test"],
            "twin": ["", "y"],
            "flagged": [False, True],
            "text": ["", "so good"],
        },
        "dropped_rows",
        [
            ("demo", 1, "films", 1000, "train", "a.csv", 2, "", "read", "`text` is empty", "", False, ""),
            ("demo", 1, "films", 1001, "train", "a.csv", 9, "x", "leakage", "also in test", "y", True, "so good"),
        ],
    ),
    (
        "stage",
        {
            "name": "encode",
            "key": "k",
            "cached": True,
            "reason": "found",
            "rows": 3,
            "seconds": 0.5,
            "detail": {"a": 1},
        },
        "stages",
        [("demo", 1, AT, "encode", "k", True, "found", 3, 0.5, '{"a":1}')],
    ),
    ("stage", {"name": "train"}, "stages", [("demo", 1, AT, "train", "", None, None, None, None, None)]),
    (
        "data",
        {"data": "films", "split": "test", "file": "test.csv", "sha256": "s", "rows": 24, "bytes": 900},
        "data",
        [("demo", 1, "films", "test", "test.csv", "s", 24, 900)],
    ),
    (
        "metrics",
        {"step": 4, "epoch": 0.5, "split": "train", "values": {"loss": 1.5, "mood.f1": 0.25, "mood.at.5": None}},
        "metrics",
        [
            ("demo", 1, AT, 4, 0.5, "train", "", "loss", 1.5),
            ("demo", 1, AT, 4, 0.5, "train", "mood", "at.5", None),
            ("demo", 1, AT, 4, 0.5, "train", "mood", "f1", 0.25),
        ],
    ),
    (
        "scores",
        {
            "split": "test",
            "model": "best",
            "rows": [
                {"task": "mood", "metric": "accuracy", "value": 0.75, "low": 0.5, "high": 1.0, "n": 24},
                {"task": None, "metric": "loss", "value": 1},
            ],
        },
        "scores",
        [
            ("demo", 1, "test", "best", "", "loss", 1, 1.0, None, None, None),
            ("demo", 1, "test", "best", "mood", "accuracy", 0, 0.75, 0.5, 1.0, 24),
        ],
    ),
    (
        "answers",
        {
            "split": "test",
            "task": "mood",
            "ids": ["a", "b"],
            "gold": ["good", "bad"],
            "predicted": ["good", "good"],
            "confidence": [0.75, 0.5],
            "gold_probability": [0.75, 0.25],
            "text": ["schön", "мир"],
            "labels": ["bad", "good"],
            "shape": "choices",
        },
        "answers",
        [
            ("demo", 1, "test", "mood", 0, "a", "good", "good", 0.75, 0.75, "schön", "choices"),
            ("demo", 1, "test", "mood", 1, "b", "bad", "good", 0.5, 0.25, "мир", "choices"),
        ],
    ),
    (
        "answers",
        {"task": "mood", "ids": ["a"], "labels": ["bad", "good"]},
        "labels",
        [("demo", 1, "mood", 0, "bad"), ("demo", 1, "mood", 1, "good")],
    ),
    (
        "samples",
        {
            "split": "test",
            "task": "tale",
            "model": "before",
            "ids": ["a", "b"],
            "prompt": ["once", "upon"],
            "gold": ["there", "was"],
            "text": ["là", ""],
            "tokens": [2, 0],
            "ended": [False, True],
        },
        "samples",
        [
            ("demo", 1, "test", "tale", "before", 0, "a", "once", "there", "là", 2, False),
            ("demo", 1, "test", "tale", "before", 1, "b", "upon", "was", "", 0, True),
        ],
    ),
    (
        "judgements",
        {
            "split": "test",
            "task": "tale",
            "model": "best",
            "judge": "proxy novelty",
            "fingerprint": "f1",
            "criterion": "proxy_novelty",
            "ids": ["a", "b"],
            "value": [0.5, None],
            "raw": ["2 words: là bas", ""],
        },
        "judgements",
        [
            ("demo", 1, "test", "tale", "best", "proxy novelty", "f1", "proxy_novelty", 0, "a", 0.5, "2 words: là bas"),
            ("demo", 1, "test", "tale", "best", "proxy novelty", "f1", "proxy_novelty", 1, "b", None, ""),
        ],
    ),
    (
        "artifact",
        {"name": "model", "path": "model/a", "sha256": "s", "bytes": 9},
        "artifacts",
        [("demo", 1, AT, "model", "model/a", "s", 9)],
    ),
    (
        "failure",
        {"kind": "ValueError", "message": "no", "trace": "...", "step": 3},
        "failures",
        [("demo", 1, AT, "ValueError", "no", "...", 3)],
    ),
    (
        "group_scores",
        {
            "split": "test",
            "task": "mood",
            "by_column": "genre",
            "rows": [{"group_name": "news", "metric": "f1", "position": 0, "value": 0.5, "n": 4, "enough": True}],
        },
        "group_scores",
        [("demo", 1, "test", "mood", "genre", "news", "f1", 0, 0.5, None, None, 4, True)],
    ),
    (
        "review",
        {
            "task": "tale",
            "split": "test",
            "id": "i1",
            "reviewer": "ann",
            "criterion": "overall",
            "value": 4,
            "seconds": 2,
        },
        "reviews",
        [("demo", 1, AT, "tale", "test", "i1", "ann", "overall", "", "", 4.0, "", 2.0)],
    ),
    (
        "grid",
        {"grid": "rates", "grid_key": "k", "position": 2, "point": {"train.epochs": 3, "seed": 1}},
        "grid_trials",
        [("demo", 1, AT, "rates", "k", 2, '{"train.epochs":3,"seed":1}')],
    ),
    (
        "dream",
        {"of": "sheep"},
        "other_events",
        [
            (
                "demo",
                1,
                AT,
                "dream",
                '{"event":"dream","run":"demo","attempt":1,"time":1704067200.0,"of":"sheep"}',
            )
        ],
    ),
]


@pytest.mark.parametrize(("event", "fields", "table", "wanted"), EACH, ids=lambda value: str(value)[:12])
def test_an_event_becomes_rows_of_its_table(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, event: str, fields: dict[str, Any], table: str, wanted: Rows
) -> None:
    log_of(tmp_path).write(event, **fields)
    assert catch_up(con, tmp_path) == 1
    assert con.execute(f"FROM {table} ORDER BY ALL").fetchall() == wanted
    assert con.execute("SELECT count(*) FROM bad_lines").fetchall() == [(0,)]


def test_every_event_is_tried_above() -> None:
    assert set(EVENTS) - {"run_started", "run_finished"} == {event for event, *_ in EACH} - {"dream"}


# What is not whole, or makes no sense.


def test_a_torn_last_line_waits_until_it_is_whole(results: Path) -> None:
    log_of(results).write("metrics", step=1, values={"loss": 1.0})
    with file_of(results).open("ab") as stream:
        stream.write(b'{"event":"metrics","attempt":1,"time":0,"st')
        stream.flush()
        assert ingest(results) == 1
        assert ask(results, "SELECT step FROM metrics ORDER BY step") == [(1,)]
        stream.write(b'ep":2,"values":{"loss":2}}\n')
        stream.flush()
        assert ingest(results) == 1
    assert ask(results, "SELECT step FROM metrics ORDER BY step") == [(1,), (2,)]
    assert ask(results, "FROM bad_lines") == []


GOOD = b'{"event":"metrics","attempt":1,"time":0,"step":1,"values":{"loss":1}}'
ODD = [
    (b'{"event":"met', "JSONDecodeError", '{"event":"met'),
    (b"\xff", "UnicodeDecodeError", "�"),
    (b"[]", "TypeError", "[]"),
    (b"{}", "KeyError: 'event'", "{}"),
    (b'{"event":[],"attempt":1,"time":0}', "TypeError", '{"event":[],"attempt":1,"time":0}'),
    (b'{"event":"x","attempt":null,"time":0}', "ValueError: a record without attempt", '{"event":"x","attempt":null'),
    (b'{"event":"x","attempt":1,"time":-1}', "ValueError: not a time: -1", '{"event":"x","attempt":1,"time":-1}'),
    (b'{"event":"metrics","attempt":1,"time":0,"step":2}', "KeyError: 'values'", '{"event":"metrics"'),
    (
        b'{"event":"metrics","attempt":1,"time":0,"step":0.5,"values":{}}',
        "ValueError: not a 64-bit",
        '{"event":"metrics"',
    ),
    (
        b'{"event":"answers","attempt":1,"time":0,"ids":["a"],"gold":[]}',
        "ValueError: `gold` has 0",
        '{"event":"answers"',
    ),
    (b'{"event":"stage","attempt":1,"time":0,"name":"a","cached":1}', "TypeError: not a boolean", '{"event":"stage"'),
    (b"[" * 100_000, "RecursionError", "[" * 200),
    (b'{"event":"x","attempt":1,"time":0,"a":"' + "é".encode() * 200, "JSONDecodeError", '{"event":"x","att'),
]


@pytest.mark.parametrize(("line", "reason", "text"), ODD, ids=[line[:60].decode("latin-1") for line, _, _ in ODD])
def test_a_line_without_sense_is_kept_as_bad_and_the_rest_is_read(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, line: bytes, reason: str, text: str
) -> None:
    file_of(tmp_path).write_bytes(b"\n" + line + b"\n" + GOOD + b"\n")
    assert catch_up(con, tmp_path) == 2
    ((run, position, why, begin),) = con.execute("FROM bad_lines").fetchall()
    assert (run, position) == ("demo", 1) and why.startswith(reason) and begin.startswith(text) and len(begin) <= 200
    assert con.execute("SELECT step, value FROM metrics").fetchall() == [(1, 1.0)]


def test_half_of_a_surrogate_pair_becomes_a_question_mark(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    log_of(tmp_path).write("failure", kind="A\ud800B", message="fine")
    catch_up(con, tmp_path)
    assert rows(con, "SELECT kind, message FROM failures") == [("A?B", "fine")]


def test_raw_surrogate_bytes_in_one_line_do_not_stop_the_others(results: Path) -> None:
    odd = b'{"event":"x","attempt":1,"time":0,"a":"\xed\xa0\x80"}'
    file_of(results).write_bytes(odd + b"\n" + GOOD + b"\n")
    assert ingest(results) == 2
    assert ask(results, "SELECT step FROM metrics") == [(1,)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
NAMES = ["name", "seed", "params", "environment", "detail", "rows", "data", "file", "metric", "values", "step", "epoch"]
NAMES += ["split", "task", "model", "ids", "gold", "labels", "confidence", "text", "state", "seconds", "pid", "key"]
LINES = st.fixed_dictionaries(
    {"event": st.sampled_from([*EVENTS, "dream"]) | JSON, "attempt": st.just(1) | JSON, "time": st.just(0) | JSON},
    optional=dict.fromkeys(NAMES, JSON),
).map(lambda record: json.dumps(record).encode())


@given(st.lists(LINES | st.binary(max_size=8).filter(lambda line: b"\n" not in line), max_size=6))
@law(15)
def test_no_record_however_odd_stops_the_reading(
    tmp_path_factory: pytest.TempPathFactory, memory: duckdb.DuckDBPyConnection, lines: list[bytes]
) -> None:
    results = tmp_path_factory.mktemp("odd")
    clear(memory)
    file_of(results).write_bytes(b"".join(line + b"\n" for line in [*lines, GOOD]))
    assert catch_up(memory, results) == sum(bool(line.strip()) for line in lines) + 1
    assert memory.execute("SELECT value FROM metrics WHERE step = 1 AND metric = 'loss'").fetchall() == [(1.0,)]


# Replay: a resumed attempt says again what the lost one had said.


def replay(results: Path) -> None:
    first, second = log_of(results, attempt=1), log_of(results, attempt=2)
    start(first, params={"a": 1, "b": 2})
    for step in (1, 2, 3):
        first.write("metrics", step=step, split="train", values={"loss": 10.0 + step, "mood.f1": 0.5})
    first.write("failure", kind="E", message="once")
    start(second, params={"a": 3})
    for step in (2, 3, 4):
        second.write("metrics", step=step, split="train", values={"loss": 20.0 + step})
    second.write("failure", kind="E", message="twice")
    second.write("run_finished", state="finished", seconds=1.0)


def test_steps_that_a_resumed_attempt_replays_replace_the_points(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    replay(tmp_path)
    catch_up(con, tmp_path)
    assert rows(con, "SELECT attempt, step, value FROM metrics WHERE metric = 'loss' ORDER BY step") == [
        (1, 1, 11.0),
        (2, 2, 22.0),
        (2, 3, 23.0),
        (2, 4, 24.0),
    ]
    assert rows(con, "SELECT attempt, step FROM metrics WHERE metric = 'f1' ORDER BY step") == [
        (1, 1),
        (1, 2),
        (1, 3),
    ]


def test_a_resumed_attempt_replaces_the_run_but_neither_attempts_nor_failures(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    replay(tmp_path)
    catch_up(con, tmp_path)
    assert rows(con, "SELECT attempts, state, seconds FROM runs") == [(2, "finished", 1.0)]
    assert rows(con, "SELECT attempt, name, value FROM params") == [(2, "a", "3")]
    assert rows(con, "SELECT attempt, state FROM attempts ORDER BY attempt") == [(1, "running"), (2, "finished")]
    assert rows(con, "SELECT message FROM failures ORDER BY attempt") == [("once",), ("twice",)]


@pytest.mark.parametrize("often", [False, True])
def test_an_attempt_that_starts_after_its_end_runs_again(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, often: bool
) -> None:
    log = log_of(tmp_path)
    for act in (start, lambda log: log.write("run_finished", state="failed", seconds=1.0), start):
        act(log)
        assert not often or catch_up(con, tmp_path) == 1
    catch_up(con, tmp_path)
    assert rows(con, "SELECT attempt, state, finished, seconds FROM attempts") == [(1, "running", None, None)]


def test_answers_given_again_replace_all_answers_of_the_task_and_split(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    for attempt, ids in ((1, ["a", "b", "c"]), (2, ["d"])):
        log_of(tmp_path, attempt=attempt).write("answers", split="test", task="mood", ids=ids)
        log_of(tmp_path, attempt=attempt).write("answers", split="test", task=f"other{attempt}", ids=ids)
    catch_up(con, tmp_path)
    assert rows(con, "SELECT task, string_agg(id, '' ORDER BY id) FROM answers GROUP BY task ORDER BY task") == [
        ("mood", "d"),
        ("other1", "abc"),
        ("other2", "d"),
    ]


# Laws: how a log is cut does not matter.

SMALL = st.integers(1, 2)
POINTS = st.builds(
    lambda attempt, step, value: {"event": "metrics", "attempt": attempt, "step": step, "values": {"a.b": value}},
    SMALL,
    SMALL,
    st.floats(allow_infinity=False),
)
STARTS = st.builds(
    lambda attempt, params: {"event": "run_started", "attempt": attempt, "params": params} | ELSEWHERE,
    SMALL,
    st.dictionaries(st.sampled_from("ab"), SMALL, max_size=2),
)
ENDS = st.builds(
    lambda attempt, state: {"event": "run_finished", "attempt": attempt, "state": state, "seconds": 1.5},
    SMALL,
    st.sampled_from(["finished", "failed"]),
)
ANSWERS = st.builds(
    lambda attempt, ids: {"event": "answers", "attempt": attempt, "task": "a", "ids": ids, "labels": ids},
    SMALL,
    st.lists(st.sampled_from("xyz"), max_size=3),
)
OTHERS = st.builds(lambda attempt: {"event": "dream", "attempt": attempt}, SMALL)
LOGS = st.lists(
    st.one_of(POINTS, STARTS, ENDS, ANSWERS, OTHERS).map(lambda each: json.dumps(each | {"time": NEW_YEAR}).encode())
    | st.sampled_from([b"", b"{", b" "]),
    max_size=10,
).map(lambda lines: b"".join(line + b"\n" for line in lines))


def grow(results: Path, log: bytes, cuts: list[int]) -> Iterator[None]:
    """Let a log grow to each cut in turn."""
    ends = sorted(cut % (len(log) + 1) for cut in cuts)
    for begin, end in zip([0, *ends], [*ends, len(log)], strict=True):
        with file_of(results).open("ab") as stream:
            stream.write(log[begin:end])
        yield


@given(LOGS, st.lists(st.integers(0, 2**16), max_size=2), st.sampled_from([1, 50, 2**20]))
@law(12)
def test_a_log_read_in_arbitrary_pieces_gives_the_same_tables(
    tmp_path_factory: pytest.TempPathFactory,
    memory: duckdb.DuckDBPyConnection,
    log: bytes,
    cuts: list[int],
    chunk: int,
) -> None:
    results = tmp_path_factory.mktemp("cuts")
    clear(memory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "CHUNK", chunk)
        pieces = sum(catch_up(memory, results) for _ in grow(results, log, cuts))
    grown = content(memory)
    clear(memory)
    assert catch_up(memory, results) == pieces
    assert content(memory) == grown


def test_a_rebuilt_database_is_the_one_that_grew(results: Path) -> None:
    replay(results / "whole")
    log = file_of(results / "whole").read_bytes()
    count = sum(ingest(results) for _ in grow(results, log, [len(log) // 3, len(log) // 2]))
    grown = stored(results)
    assert rebuild(results) == count == 11
    assert stored(results) == grown == stored(results, "store.duckdb")


def test_nothing_new_is_read_once_only(results: Path) -> None:
    replay(results)
    assert [ingest(results), ingest(results)] == [11, 0]


# A log that is not the one that was read.


@pytest.mark.parametrize("length", [1, 200])
def test_a_rewritten_log_is_read_anew(tmp_path: Path, con: duckdb.DuckDBPyConnection, length: int) -> None:
    log_of(tmp_path).write("dream", of="x" * length)
    log_of(tmp_path).write("metrics", step=1, values={"loss": 1})
    catch_up(con, tmp_path)
    file_of(tmp_path).unlink()
    log_of(tmp_path).write("dream", of="y" * length)
    log_of(tmp_path).write("failure", kind="E")
    assert catch_up(con, tmp_path) == 2
    assert rows(con, "SELECT fields->>'of' FROM other_events") == [("y" * length,)]
    assert rows(con, "FROM metrics") == [] and len(rows(con, "FROM failures")) == 1


def test_a_log_of_the_same_length_with_another_beginning_is_read_anew(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    log_of(tmp_path).write("dream", of="x")
    catch_up(con, tmp_path)
    file_of(tmp_path).unlink()
    log_of(tmp_path).write("dream", of="y")
    assert catch_up(con, tmp_path) == 1
    assert rows(con, "SELECT fields->>'of' FROM other_events") == [("y",)]


def test_a_truncated_log_is_read_anew(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    for step in range(5):
        log_of(tmp_path).write("metrics", step=step, values={"loss": step})
    catch_up(con, tmp_path)
    os.truncate(file_of(tmp_path), file_of(tmp_path).read_bytes().index(b"\n") + 1)
    assert catch_up(con, tmp_path) == 1
    assert rows(con, "SELECT step FROM metrics") == [(0,)]


def test_a_log_cut_in_the_middle_of_a_line_that_was_read_is_read_anew(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    for step in range(5):
        log_of(tmp_path).write("metrics", step=step, values={"loss": step})
    catch_up(con, tmp_path)
    os.truncate(file_of(tmp_path), file_of(tmp_path).stat().st_size - 3)
    log_of(tmp_path, attempt=2).write("metrics", step=9, values={"loss": 9})
    assert catch_up(con, tmp_path) == 6
    assert rows(con, "SELECT step FROM metrics ORDER BY step") == [(0,), (1,), (2,), (3,), (9,)]
    assert len(rows(con, "FROM bad_lines")) == 1


def test_a_log_cut_to_nothing_has_no_rows(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    log_of(tmp_path).write("metrics", step=1, values={"loss": 1})
    catch_up(con, tmp_path)
    os.truncate(file_of(tmp_path), 0)
    catch_up(con, tmp_path)
    assert rows(con, "FROM metrics") == []


def test_runs_do_not_touch_each_other(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    for run in ("a", "b"):
        log_of(tmp_path, run).write("metrics", step=1, values={"loss": 1})
    catch_up(con, tmp_path)
    file_of(tmp_path, "a").write_bytes(GOOD.replace(b'"loss":1', b'"loss":2') + b"\n")
    assert catch_up(con, tmp_path) == 1
    assert rows(con, "SELECT run, value FROM metrics ORDER BY run") == [("a", 2.0), ("b", 1.0)]


# Who else is there.

HOLDER = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('ready', flush=True); sys.stdin.read()"


@pytest.fixture
def holder(results: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another program that has the working file open."""
    words = [sys.executable, "-c", HOLDER, str(results / "store.duckdb")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        yield process
        process.communicate()


def test_a_file_locked_by_another_program_names_it(results: Path, holder: subprocess.Popen[bytes]) -> None:
    with pytest.raises(RunnerError) as caught:
        ingest(results, wait=0.3)
    begin = f"`{results / 'store.duckdb'}` is locked by process {holder.pid} (`{sys.executable} -c import duckdb"
    assert caught.value.message.startswith(begin)
    assert caught.value.hint == "close that program, then ask again"


def test_a_file_that_is_let_go_in_time_is_waited_for(
    results: Path, holder: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_of(results).write("dream")
    monkeypatch.setattr("runner.store.working.time.sleep", lambda seconds: holder.communicate())
    assert ingest(results, wait=60) == 1


def test_a_file_held_by_this_very_program_is_not_called_damaged(results: Path) -> None:
    ingest(results)
    log_of(results).write("dream")
    with duckdb.connect(str(results / "store.duckdb"), read_only=True), pytest.raises(RunnerError) as caught:
        ingest(results, wait=0)
    assert "damaged" not in caught.value.message


def gone() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        process.wait()
    return process.pid


def look(con: duckdb.DuckDBPyConnection, results: Path) -> None:
    """Catch up, and look which processes still run."""
    catch_up(con, results)
    settle(con)


def test_a_running_attempt_whose_process_is_gone_is_lost(results: Path) -> None:
    log = log_of(results)
    log.write("run_started", pid=gone())
    ingest(results)
    assert ask(results, "SELECT state, finished FROM attempts") == [("lost", None)]
    assert ask(results, "SELECT state FROM runs") == [("lost",)]
    log.write("run_finished", state="finished", seconds=1)
    ingest(results)
    assert ask(results, "SELECT state FROM runs") == [("finished",)]


def test_a_process_that_waits_for_its_parent_is_gone_too(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    log_of(tmp_path).write("run_started", pid=process.pid, time=time.time())
    look(con, tmp_path)
    assert rows(con, "SELECT state FROM runs") == [("lost",)]
    process.wait()


def test_an_attempt_that_runs_here_or_elsewhere_is_running(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    log_of(tmp_path, "here").write("run_started", time=time.time())
    log_of(tmp_path, "elsewhere").write("run_started", pid=gone(), host="elsewhere")
    look(con, tmp_path)
    assert rows(con, "SELECT run, state FROM runs ORDER BY run") == [("elsewhere", "running"), ("here", "running")]


def test_a_process_id_that_was_given_to_a_younger_process_is_lost(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    log_of(tmp_path).write("run_started", pid=os.getpid(), time=NEW_YEAR)  # long before this process began
    look(con, tmp_path)
    assert rows(con, "SELECT state FROM runs") == [("lost",)]


# A database that cannot be used.


def test_a_database_of_a_newer_program_is_refused(results: Path) -> None:
    ingest(results)
    with duckdb.connect(str(results / "store.duckdb")) as con:
        con.execute("INSERT INTO migrations VALUES (99, 'later', TIMESTAMP '2030-01-01')")
    with pytest.raises(RunnerError, match=r"made by a newer runner: it has migration 99, this program knows \d+$") as e:
        ingest(results)
    assert e.value.hint == "upgrade the runner, or make the database again from the logs: `runner store rebuild`"


def damage(path: Path, how: str) -> None:
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes({"foreign": b"not a database\n" * 1000, "cut": whole[:half]}[how])


@pytest.mark.parametrize("how", ["foreign", "cut"])
def test_a_damaged_database_says_what_mends_it_and_is_mended(results: Path, how: str) -> None:
    replay(results)
    ingest(results)
    before = stored(results)
    damage(results / "store.duckdb", how)
    with pytest.raises(RunnerError, match=r"store\.duckdb` is damaged: ") as caught:
        ingest(results)
    assert caught.value.hint == "`runner store rebuild` makes it again from the logs"
    assert rebuild(results) == 11
    assert stored(results) == before


def test_a_database_with_foreign_tables_says_what_mends_it(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "store.duckdb")) as con:
        con.execute("CREATE TABLE metrics (nothing INT)")
    with pytest.raises(RunnerError, match="is damaged") as caught:
        ingest(tmp_path)
    assert caught.value.hint == "`runner store rebuild` makes it again from the logs"


def test_a_damaged_copy_for_readers_is_replaced(results: Path) -> None:
    replay(results)
    ingest(results)
    (results / "results.duckdb").write_bytes(b"")
    assert ingest(results) == 0
    assert stored(results) == stored(results, "store.duckdb")


def test_a_folder_that_cannot_be_made_is_the_users_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunnerError, match=r"^cannot write in `.*/file`: File exists$") as caught:
        ingest(tmp_path / "file")
    assert caught.value.hint == "choose a folder that is writable"


def test_a_log_that_cannot_be_read_is_the_users_fault(results: Path) -> None:
    file_of(results).mkdir()
    with pytest.raises(RunnerError, match=r"^cannot read `.*/demo/log.jsonl`: Is a directory$"):
        ingest(results)


def test_the_logs_of_hidden_and_foreign_folders_do_not_matter(results: Path) -> None:
    (results / "runs" / "empty").mkdir(parents=True)
    (results / "runs" / "file").write_text("")
    log_of(results).write("dream")
    assert ingest(results) == 1
    assert query(results, "SELECT DISTINCT run FROM other_events").to_pylist() == [{"run": "demo"}]
