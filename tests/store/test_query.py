"""Questions: read-only, up to date, in every format literally, with a hint where a name is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.errors import RunnerError
from runner.store.exchange import write
from runner.store.query import FORMATS, Limits, hint, query, render, told
from tests.store.conftest import file_of, log_of, start

HINT = "results are read-only here; the logs under `runs/` are their source"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of one run with two points; no test adds to it."""
    results = tmp_path_factory.mktemp("store")
    log = log_of(results)
    start(log, params={"rate": 0.5})
    log.write("metrics", step=1, values={"loss": 1.5})
    log.write("metrics", step=2, values={"loss": float("nan")})
    return results


def refused(results: Path, sql: str) -> RunnerError:
    with pytest.raises(RunnerError) as caught:
        query(results, sql)
    return caught.value


# Up to date.


def test_what_was_just_recorded_is_there(results: Path) -> None:
    log = log_of(results)
    for count in (1, 2):
        log.write("metrics", step=count, values={"loss": 1})
        assert query(results, "SELECT count(*) AS n FROM metrics").to_pylist() == [{"n": count}]


def test_a_folder_without_runs_answers_with_nothing(tmp_path: Path) -> None:
    results = tmp_path / "new" / "results"
    found = query(results, "SELECT run, seed FROM runs")
    assert found.to_pylist() == [] and found.column_names == ["run", "seed"]
    assert [render(found, format) for format in FORMATS] == [
        "\n run   seed\n ──────────\n",
        "| run | seed |\n| --- | ---: |\n",
        '"run","seed"\n',
        "[]\n",
        "",
    ]


WRITER = """
import sys
from pathlib import Path
from runner.store.log import Log

log = Log(Path(sys.argv[1]), "demo", 1)
for n, line in enumerate(sys.stdin):
    log.write("x", n=n)
    print(n, flush=True)
"""


@pytest.fixture
def writer(results: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that appends a record for each line it is given."""
    words = [sys.executable, "-c", WRITER, str(results / "runs" / "demo")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.communicate()


def test_questions_are_answered_while_a_run_goes_on(results: Path, writer: subprocess.Popen[str]) -> None:
    assert writer.stdin is not None and writer.stdout is not None
    for count in range(1, 4):
        print(file=writer.stdin, flush=True)
        writer.stdout.readline()
        assert query(results, "SELECT fields->>'n' AS n FROM other_events").num_rows == count
    assert writer.poll() is None


def test_a_reader_who_keeps_the_copy_open_does_not_hide_what_is_new(results: Path) -> None:
    log = log_of(results)
    log.write("dream")
    query(results, "FROM runs")
    with duckdb.connect(str(results / "results.duckdb"), read_only=True):
        log.write("dream")
        assert query(results, "FROM other_events").num_rows == 2


# Read-only.


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO labels VALUES ('r', 1, 't', 0, 'a')",
        "UPDATE runs SET name = 'x'",
        "DELETE FROM scores",
        "DROP TABLE runs",
        "CREATE TABLE mine (a INT)",
        "SELECT 1; DROP VIEW curves",
    ],
    ids=lambda sql: sql[:12],
)
def test_results_cannot_be_changed(store: Path, sql: str) -> None:
    fault = refused(store, sql)
    assert "read-only" in fault.message and fault.hint == HINT


# Statements.


def test_parameters_are_bound(store: Path) -> None:
    found = query(store, "SELECT step FROM metrics WHERE value = ? AND run = ?", [1.5, "demo"])
    assert found.to_pylist() == [{"step": 1}]


def test_of_several_statements_the_last_answers(store: Path) -> None:
    sql = "CREATE TEMP TABLE two AS SELECT 2 AS b; SELECT 1 AS a; SELECT b FROM two;"
    assert query(store, sql).to_pylist() == [{"b": 2}]


@pytest.mark.parametrize("sql", ["", " \n"])
def test_no_statement_is_answered_with_an_example(tmp_path: Path, sql: str) -> None:
    fault = refused(tmp_path, sql)
    assert (fault.message, fault.hint) == ("no SQL to run", 'try: runner query "SELECT * FROM run_summary"')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sql", ["-- nothing", ";"])
def test_a_statement_without_rows_says_so(store: Path, sql: str) -> None:
    fault = refused(store, sql)
    assert fault.message == "the statement has no rows to show"
    assert fault.hint == "ask with SELECT, FROM, DESCRIBE or SHOW"


# Hints.


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("FROM metrcs", "Table with name metrcs does not exist", "did you mean `metrics`?"),
        ("FROM final_score", "Table with name final_score does not exist", "did you mean `final_scores`?"),
        ("SELECT valeu FROM metrics", 'Referenced column "valeu" not found', "did you mean `value`?"),
        pytest.param(*("SELECT m.metrik FROM metrics m", 'column named "metrik"', "did you mean `metric`?")),
    ],
)
def test_a_mistyped_name_is_answered_with_the_nearest(store: Path, sql: str, message: str, hint: str) -> None:
    fault = refused(store, sql)
    assert message in fault.message and fault.hint == hint


def test_a_name_like_no_other_is_answered_with_all(store: Path) -> None:
    fault = refused(store, "FROM zzzzz")
    assert fault.hint.startswith(
        "tables, views and macros: answers, artifacts, asked, attempts, bad_lines, class_scores, compare,"
    )


def test_a_mistyped_table_is_answered_with_a_table(store: Path) -> None:
    assert refused(store, "FROM run").hint == "did you mean `runs`?"


def test_a_mistyped_keyword_is_not_taken_for_a_name(store: Path) -> None:
    assert "seed`?" not in refused(store, "SELEC 1").hint


# Formats.

SAMPLE = """
SELECT 'schön, "я"' AS text, NULL::BIGINT AS nothing, 'nan'::DOUBLE AS nan, '-inf'::DOUBLE AS low, 3 AS whole,
       1.5::DOUBLE AS real, true AS yes, MAP {'a': 0.5::DOUBLE, 'b': 'nan'::DOUBLE} AS pairs,
       [{'x': 1, 'y': NULL}] AS nested, TIMESTAMP '2024-01-01 12:00:00' AS time
"""
TABLE = """
 text         nothing   nan    low   whole   real   yes    pairs          nested                  time
 ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
 schön, "я"             nan   -inf       3    1.5   True   a=0.5, b=nan   [{'x': 1, 'y': None}]   2024-01-01 12:00:00
"""
CSV = (
    '"text","nothing","nan","low","whole","real","yes","pairs","nested","time"\n'
    '"schön, ""я""",,nan,-inf,3,1.5,true,"{""a"": 0.5, ""b"": ""NaN""}","[{""x"": 1, ""y"": null}]",'
    "2024-01-01 12:00:00.000000\n"
)
JSONL = (
    '{"text": "schön, \\"я\\"", "nothing": null, "nan": "NaN", "low": "-Infinity", "whole": 3, "real": 1.5, '
    '"yes": true, "pairs": {"a": 0.5, "b": "NaN"}, "nested": [{"x": 1, "y": null}], "time": "2024-01-01 12:00:00"}\n'
)


def asked(con: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    return con.sql(sql).to_arrow_table()


def words(text: str) -> list[str]:
    """Without rulers and the widths of columns."""
    return text.replace("─", "").split()


def test_a_table_for_people(con: duckdb.DuckDBPyConnection) -> None:
    assert words(render(asked(con, SAMPLE))) == words(TABLE)


def test_numbers_of_a_table_stand_at_the_right(con: duckdb.DuckDBPyConnection) -> None:
    found = asked(con, "FROM (VALUES ('a', 1), ('bcd', 100)) t(name, n) ORDER BY n")
    assert render(found) == "\n name     n\n ──────────\n a        1\n bcd    100\n"


def test_csv(con: duckdb.DuckDBPyConnection) -> None:
    assert render(asked(con, SAMPLE), "csv") == CSV


def test_json_lines(con: duckdb.DuckDBPyConnection) -> None:
    assert render(asked(con, SAMPLE), "jsonl") == JSONL


def test_json(con: duckdb.DuckDBPyConnection) -> None:
    text = render(asked(con, "SELECT 'ü' AS u, 'inf'::DOUBLE AS i, MAP {1: [2]} AS m"), "json")
    assert text == (
        '[\n  {\n    "u": "ü",\n    "i": "Infinity",\n    "m": {\n      "1": [\n        2\n      ]\n    }\n  }\n]\n'
    )


def test_json_of_a_whole_run(store: Path) -> None:
    (found,) = json.loads(render(query(store, "SELECT run, params, scores FROM run_summary"), "json"))
    assert found == {"run": "demo", "params": {"rate": "0.5"}, "scores": None}


def test_parquet_gives_the_same_table_back(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    found = asked(con, SAMPLE)
    write(found, tmp_path / "out.parquet")
    back = pq.read_table(tmp_path / "out.parquet")
    assert str(back.to_pylist()) == str(found.to_pylist()) and back.schema.names == found.schema.names
    assert back.schema.field("pairs").type == pa.map_(pa.string(), pa.float64())


def test_a_parquet_file_that_cannot_be_written_is_the_users_fault(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(RunnerError, match=r"^cannot write `.*/no/out\.parquet`: ") as caught:
        write(asked(con, "SELECT 1"), tmp_path / "no" / "out.parquet")
    assert caught.value.hint == "choose another path for --output"


def parsed(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(render(asked(con, sql), "jsonl"))
    return row


def test_sums_and_decimals_are_numbers_in_json(con: duckdb.DuckDBPyConnection) -> None:
    assert parsed(con, "SELECT sum(step) AS n, 1.5 AS d FROM (VALUES (1), (2)) t(step)") == {"n": 3, "d": 1.5}


def test_an_empty_map_is_an_empty_object_in_json(con: duckdb.DuckDBPyConnection) -> None:
    assert parsed(con, "SELECT MAP {} AS m, [] AS l") == {"m": {}, "l": []}


def test_columns_of_one_name_are_all_in_json(con: duckdb.DuckDBPyConnection) -> None:
    assert sorted(parsed(con, "SELECT 1 AS a, 2 AS a").values()) == [1, 2]


def test_bad_lines_can_be_asked_for(results: Path) -> None:
    file_of(results).write_bytes(b"{\n")
    assert query(results, "SELECT run, position, text FROM bad_lines").to_pylist() == [
        {"run": "demo", "position": 0, "text": "{"}
    ]


def test_a_table_told_at_once_is_the_one_drawn_from_arrow(store: Path) -> None:
    assert words(told(store, SAMPLE)[0]) == words(TABLE)
    empty = "SELECT run, seed FROM runs WHERE false"
    assert told(store, empty)[0] == render(query(store, empty))


def test_a_small_question_loads_nothing_that_it_does_not_need(store: Path) -> None:
    program = "import sys, runner.cli; runner.cli.call(sys.argv[1:]); print({'pyarrow', 'rich', 'pydantic'} & set(sys.modules))"
    command = [sys.executable, "-c", program, "query", "--results", str(store), "SELECT 1 AS one"]
    subprocess.run(command, capture_output=True, check=True)  # reads the log
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")


# What SQL may do.


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_csv('{file}')",
        "FROM read_text('https://127.0.0.1:9/x')",
        "FROM glob('/*')",
        "COPY (SELECT 1) TO '{file}'",
        "EXPORT DATABASE '{file}'",
        "ATTACH '{file}'",
        "LOAD httpfs",
        "SET enable_external_access = true; FROM read_csv('{file}')",
        "SET allowed_paths = ['{file}']; FROM read_csv('{file}')",
    ],
)
def test_nothing_but_the_store_is_read_or_written(store: Path, tmp_path: Path, sql: str) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a\n1\n")
    with pytest.raises(RunnerError) as caught:
        query(store, sql.format(file=file))
    assert "--external" in caught.value.hint
    assert file.read_text() == "a\n1\n"


def test_files_are_read_where_that_is_asked(store: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a\n1\n")
    sql = f"FROM read_csv('{tmp_path / 'other.csv'}')"
    assert query(store, sql, limits=Limits(external=True)).to_pylist() == [{"a": 1}]
    with pytest.raises(RunnerError) as caught:
        query(store, sql)
    assert "--external" in caught.value.hint


ENDLESS = (
    "SELECT count(*) AS n FROM range(1000000) a, range(1000000) b, range(1000) c WHERE a.range + b.range % 7 = c.range"
)


@pytest.mark.parametrize("ask", [query, told])
def test_what_has_no_end_is_given_up(store: Path, ask: Any) -> None:
    with pytest.raises(RunnerError) as caught:
        ask(store, ENDLESS, limits=Limits(seconds=0.2))
    assert "--timeout" in caught.value.hint


@pytest.mark.parametrize("ask", [query, told])
def test_an_interrupt_that_comes_too_early_is_not_the_last(store: Path, ask: Any) -> None:
    with pytest.raises(RunnerError) as caught:
        ask(store, "SELECT 1;" * 500 + ENDLESS, limits=Limits(seconds=1e-6))
    assert "--timeout" in caught.value.hint


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_that_is_no_time_is_refused(store: Path, seconds: float) -> None:
    with pytest.raises(RunnerError, match="no statement can end after"):
        query(store, "SELECT 1", limits=Limits(seconds=seconds))


STEADY = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t"  # in small steps
STOPPED = """
import os, signal, sys, threading
from runner import __main__ as program, cli
from runner.store import query

def begun(*words, **named):
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
    return asked(*words, **named)

asked, query.relation = query.relation, begun
sys.argv = ["runner", "query", *sys.argv[1:]]
sys.exit(program.code())
"""


@pytest.mark.parametrize("format", ["table", "json"])
def test_an_interrupt_from_the_keyboard_ends_what_has_no_end(store: Path, format: str) -> None:
    words = [sys.executable, "-c", STOPPED, STEADY, "--format", format, "--results", str(store)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr


def test_damage_that_a_question_meets_is_answered_with_what_mends_it() -> None:
    assert hint("IO Error: Corrupt database file: checksum") == "`runner store rebuild` makes it again from the logs"


def test_a_table_for_people_has_an_end(store: Path) -> None:
    shown, count = told(store, "FROM range(30000)")
    assert count == 10_001
    assert shown.endswith("... more than 10,000 rows: LIMIT them, or write them with --output\n")
