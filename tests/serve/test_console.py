"""SQL is read-only, bounded and reaches nothing else; what it gives is text, also for a spreadsheet."""

from __future__ import annotations

import csv
import io
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import RunnerError
from runner.serve.console import FORMULA, Answer, Console, as_csv
from runner.serve.examples import EXAMPLES
from runner.store.query import query
from tests.serve.conftest import Visitor

ROOT = Path(__file__).parents[2]
ENDLESS = "SELECT max(hash(range)) FROM range(1000000000000000)"  # in no memory either


def test_rows_and_that_there_are_more(store: Path) -> None:
    console = Console(store, rows=3)
    found = console.ask("FROM range(3)", "a")
    assert (found.columns, found.rows, found.more) == (("range",), ((0,), (1,), (2,)), False)
    assert console.ask("FROM range(9) ORDER BY 1 DESC", "a").rows == ((8,), (7,), (6,))
    assert console.ask("FROM range(4)", "a").more


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM runs", "read-only"),
        ("CREATE TABLE more AS SELECT 1", "read-only"),
        ("DROP VIEW leaderboard", "read-only"),
        ("SELECT 1; DELETE FROM runs", "read-only"),
        ("FROM read_text('/etc/hostname')", "disabled by configuration"),
        ("FROM read_csv('https://example.org/a.csv')", "disabled by configuration"),
        ("FROM '/etc/hostname'", "Error: "),
        ("COPY (SELECT 1) TO 'file.csv'", "disabled by configuration"),
        ("ATTACH 'store.duckdb' AS writable", "disabled by configuration"),
        ("INSTALL httpfs", "Error: "),
        ("SET enable_external_access = true", "Error: "),
        ("SET memory_limit = '64GB'", "locked"),
        ("FROM pythonic", "does not exist"),
        ("SELECT repeat('x', 1000) FROM range(1000000000) ORDER BY random()", "Out of Memory"),
        ("SELCT 1", "syntax error"),
        ("", "no SQL"),
    ],
)
def test_what_is_refused(store: Path, sql: str, said: str) -> None:
    pythonic = query(store, "SELECT 1 AS one")
    assert pythonic.num_rows == 1
    before = sorted(path.name for path in store.iterdir())
    with pytest.raises(RunnerError, match=said):
        Console(store, seconds=20).ask(sql, "a")
    assert sorted(path.name for path in store.iterdir()) == before and not Path("file.csv").exists()
    assert query(store, "SELECT count(*) AS n FROM runs").to_pylist() == [{"n": 5}]


@pytest.mark.parametrize("sql", [ENDLESS, f"SELECT 1; {ENDLESS}", "; ".join([ENDLESS] * 3)])
def test_what_has_no_end_is_cut_off(store: Path, sql: str) -> None:
    console = Console(store, seconds=0.2)
    with pytest.raises(RunnerError, match=r"more than 0\.2 seconds"):
        console.ask(sql, "a")
    assert console.works == {} and Console(store).ask("SELECT 1", "a").rows == ((1,),)


def test_it_can_be_cancelled_and_only_a_few_are_at_work(store: Path) -> None:
    console, faults, begun = Console(store, seconds=60), [], threading.Barrier(5)

    def ask(ticket: str) -> None:
        begun.wait()
        try:
            console.ask(ENDLESS, ticket)
        except RunnerError as error:
            faults.append(error.message)

    threads = [threading.Thread(target=ask, args=[f"t{place}"]) for place in range(4)]
    for each in threads:
        each.start()
    begun.wait()
    while len(console.works) < 4:
        threads[0].join(0.01)
    with pytest.raises(RunnerError, match="4 statements are at work"):
        console.ask("SELECT 1", "more")
    assert all(console.cancel(f"t{place}") for place in range(4)) and not console.cancel("unknown")
    for each in threads:
        each.join()
    assert faults == ["the statement was stopped: it was cancelled"] * 4


def test_the_store_is_free_while_a_statement_runs(store: Path) -> None:
    console = Console(store, seconds=60)

    def ask() -> None:
        with pytest.raises(RunnerError, match="cancelled"):
            console.ask(ENDLESS, "t")

    thread = threading.Thread(target=ask)
    thread.start()
    while not console.works:
        thread.join(0.01)
    from tests.store.conftest import log_of, start

    start(log_of(store, "new"))
    assert query(store, "SELECT count(*) AS n FROM runs").to_pylist() == [{"n": 6}]
    console.cancel("t")
    thread.join()


@given(st.lists(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans()), min_size=1, max_size=5))
def test_no_spreadsheet_carries_out_a_text(values: list[object]) -> None:
    text = as_csv(Answer(tuple(f"={place}" for place in range(len(values))), (tuple(values),), False, 0.0))
    head, row = list(csv.reader(io.StringIO(text, newline="")))[:2]
    assert all(cell.startswith("'=") for cell in head)
    for value, cell in zip(values, row, strict=True):
        if isinstance(value, str):
            assert not cell.startswith(FORMULA) and cell.removeprefix("'") == value.removeprefix("'")


def test_numbers_below_zero_stay_numbers(store: Path) -> None:
    answer = Console(store).ask("SELECT -1 AS a, -0.5::DOUBLE AS b, '-1' AS c, {'k': 1} AS d, NULL AS e", "a")
    assert as_csv(answer) == 'a,b,c,d,e\r\n-1,-0.5,\'-1,"{""k"": 1}",\r\n'


def test_the_page_shows_rows_faults_and_csv(visitor: Visitor) -> None:
    page = visitor.sql("SELECT '<b>bold' AS text, NULL AS none FROM range(9)")
    assert page.status_code == 200 and "&lt;b&gt;bold" in page.text and "<b>" not in page.text
    assert "5 rows, and there are more" in page.text
    wrong = visitor.sql("SELECT * FROM runz -- </textarea><script>")
    assert wrong.status_code == 400 and "did you mean `runs`?" in wrong.text and "<script>" not in wrong.text
    assert "more than 3 seconds" in visitor.sql(ENDLESS).text
    sheet = visitor.sql("SELECT '=1+1' AS text", **{"as": "csv"})
    assert sheet.text == "text\r\n'=1+1\r\n" and "attachment" in sheet.headers["content-disposition"]


def test_the_schema_stands_below_with_its_sentences(visitor: Visitor) -> None:
    text = visitor.web.get("/sql").text
    for part in ("<code>leaderboard</code>", "<code>answers</code>", "<code>t_quantile(df)</code>"):
        assert part in text


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_works_and_is_explained(store: Path, name: str) -> None:
    assert Console(store).ask(EXAMPLES[name], "a").columns
    assert EXAMPLES[name] in (ROOT / "docs/store.md").read_text(encoding="utf-8")
