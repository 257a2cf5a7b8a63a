"""Exchange: CSV that computes nothing, Markdown that keeps its columns, files by their ending."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import RunnerError
from runner.store.exchange import write
from runner.store.formats.csv import FORMULA
from runner.store.query import render


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://x")'])
def test_a_text_that_a_spreadsheet_would_compute_is_a_text(text: str) -> None:
    table = pa.table({"text": [text, "a=b", None, ""], "number": [-1, 2, 3, 4]})
    assert list(csv.reader(io.StringIO(render(table, "csv"), newline=""))) == [
        ["text", "number"],
        [f"'{text}", "-1"],
        ["a=b", "2"],
        ["", "3"],
        ["", "4"],
    ]


def test_names_of_columns_and_nested_values_are_guarded_too() -> None:
    assert render(pa.table({"=x": [1]}), "csv") == '"\'=x"\n1\n'
    assert '"[""=1""]"' in render(pa.table({"list": [["=1"]]}), "csv")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8), min_size=1, max_size=5))
def test_no_cell_of_csv_begins_like_a_formula(texts: list[str]) -> None:
    found = list(csv.reader(io.StringIO(render(pa.table({"text": texts}), "csv"), newline="")))
    cells = [row[0] if row else "" for row in found[1:]]
    plain = [
        cell.removeprefix("'") if re.match(FORMULA, text) else cell for cell, text in zip(cells, texts, strict=True)
    ]
    assert plain == texts
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_markdown_keeps_its_columns() -> None:
    table = pa.table({"a|b": ["x|y", "two\nlines", None], "n": [1, -2, 3], "share": [0.5, 0.25, None]})
    assert render(table, "markdown") == (
        "| a\\|b | n | share |\n| --- | ---: | ---: |\n| x\\|y | 1 | 0.5 |\n| two lines | -2 | 0.25 |\n|  | 3 |  |\n"
    )


def test_the_ending_names_the_format(tmp_path: Path) -> None:
    table = pa.table({"text": ["=1", "b"], "n": [1, 2]})
    for name in ("a.csv", "a.json", "a.jsonl", "a.md", "a.parquet"):
        write(table, tmp_path / name)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == '"text","n"\n"\'=1",1\n"b",2\n'
    assert json.loads((tmp_path / "a.json").read_bytes()) == [{"text": "=1", "n": 1}, {"text": "b", "n": 2}]
    assert (tmp_path / "a.jsonl").read_text(encoding="utf-8").count("\n") == 2
    assert (tmp_path / "a.md").read_text(encoding="utf-8").startswith("| text | n |")
    assert pq.read_table(tmp_path / "a.parquet").equals(table)


@pytest.mark.parametrize("name", ["rows", "rows.xlsx", "rows.CSV"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunnerError, match="has no ending that names a format") as caught:
        write(pa.table({"a": [1]}), tmp_path / name)
    assert caught.value.hint == "end it with one of .parquet, .csv, .json, .jsonl, .md"
    assert list(tmp_path.iterdir()) == []
