"""The page of results: self-contained, accessible, hostile texts stay texts, and tables are what SQL says."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.report import plots, tables, wording
from runner.report.plots import Scale
from runner.report.results import page, write
from runner.store.facts import facts
from runner.store.query import query
from tests.report.test_page import HOSTILE, Read
from tests.reported import build
from tests.store.conftest import new, results  # noqa: F401

STYLE = r"(--[wsn]:[\d.]+%?|background:var\(--k\d+\))?"


class Cells(HTMLParser):
    """The text of each cell of each table, by the table's caption."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[str]]]] = []
        self.at = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "table":
            self.tables.append(("", []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag == "br":
            self.handle_data(" ")
        elif tag in ("td", "th"):
            self.tables[-1][1][-1].append("")
        self.at = tag if tag in ("td", "th", "caption") else self.at

    def handle_endtag(self, tag: str) -> None:
        self.at = "" if tag == self.at else self.at

    def handle_data(self, data: str) -> None:
        if self.at == "caption":
            caption, rows = self.tables[-1]
            self.tables[-1] = (caption + data, rows)
        elif self.at and self.tables[-1][1]:
            self.tables[-1][1][-1][-1] += data

    def called(self, caption: str) -> list[list[str]]:
        """The rows of the first table whose caption begins like this, without its head."""
        return [[" ".join(cell.split()) for cell in row] for row in next(r for c, r in self.tables if c.startswith(caption))][1:]  # fmt: skip


@pytest.fixture
def told(results: Path) -> dict[str, Any]:  # noqa: F811
    build(results)
    return facts(results)


def test_it_tells_all_of_a_store(told: dict[str, Any]) -> None:
    text = " ".join(" ".join(Read(page(told)).text).split())
    for part in (
        "Results of all runs", "1 failed, 4 finished", "grid-1", "5 runs, the best by validation mood.macro_f1 first",
        "planned", "What the axes did", "Curves", "Confusions", "Expected calibration error", "By length",
        "The 20 pairs most often confused, of 30 labels", "The 20 worst mistakes of intent", "Predicted and gold",
        "Generations", "hm", "3 tokens, cut", "Files that were read", "no memory a text", "torch", "2.13.0",
    ):  # fmt: skip
        assert part in text, part


def test_nothing_is_fetched_and_no_script_runs(told: dict[str, Any]) -> None:
    text = page(told)
    assert not re.search(r"https?:|//|url\(|@import|javascript:", text, re.IGNORECASE)
    assert text.startswith("<!DOCTYPE html>")
    read = Read(text)
    for tag, attributes in read.elements:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base", "form", "use")
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "data")]
        assert (attributes.get("href") or "#").startswith("#")
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"}) in read.elements  # fmt: skip


def test_links_lead_somewhere_and_what_is_drawn_is_said(told: dict[str, Any]) -> None:
    read = Read(page(told))
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in read.elements:
        if tag == "a":
            assert str(attributes["href"])[1:] in ids
        if tag == "svg" and "role" in attributes:
            named = str(attributes.get("aria-labelledby") or "").split()
            assert attributes["role"] == "img" and (attributes.get("aria-label") or named)
            assert set(named) <= set(ids)
    assert {attributes.get("scope") for tag, attributes in read.elements if tag == "th"} == {"row", "col"}
    tags = [tag for tag, _ in read.elements]
    assert tags.count("table") == tags.count("caption")
    for _, attributes in read.elements:
        if attributes.get("role") == "region":
            assert attributes["tabindex"] == "0" and attributes["aria-label"]


def test_hostile_text_is_only_ever_text(tmp_path: Path) -> None:
    plain, attacked = (
        Read(page(facts(build(tmp_path / name, *words)))) for name, words in (("a", ("b", "t")), ("b", (HOSTILE, HOSTILE)))
    )  # fmt: skip
    tags = [{(tag, *sorted(found)) for tag, found in each.elements} for each in (plain, attacked)]
    assert tags[0] == tags[1] and not {"script", "b"} & {tag for tag, *_ in tags[1]}
    shown = HOSTILE.replace("\x00", "␀").replace("\x1b", "␛")
    whole = "".join(attacked.text)
    assert shown in whole and "\x00" not in whole and "{{ name }}" in whole
    for _, attributes in attacked.elements:
        assert re.fullmatch(STYLE, attributes.get("style") or ""), attributes


def test_tables_are_what_sql_says(told: dict[str, Any], results: Path) -> None:  # noqa: F811
    cells = Cells(page(told))
    sql = """
        SELECT run, printf('%.3f', any_value(value) FILTER (split = 'validation')),
               printf('%.3f', any_value(value) FILTER (split = 'test'))
        FROM final_scores WHERE run LIKE 'grid%' AND metric = 'macro_f1' GROUP BY run ORDER BY 2 DESC
    """
    rows = [tuple(row.values()) for row in query(results, sql).to_pylist()]
    board = [(row[1], row[2].split()[0], row[3].split()[0]) for row in cells.called("Runs with")]
    assert board == [*rows, ("grid-3", "–", "–"), ("grid-4", "–", "–")]
    sql = "SELECT label, printf('%.3f', f1), printf('%.3f', recall), printf('%.3f', precision), support::VARCHAR AS n FROM class_scores WHERE run = 'grid-1' ORDER BY f1, label"  # fmt: skip
    assert cells.called("Scores of each class, the lowest F1") == [
        list(row.values()) for row in query(results, sql).to_pylist()
    ]
    sql = "SELECT text, gold, predicted, printf('%.3f', confidence) AS c FROM worst_mistakes WHERE run = 'grid-1'"
    assert cells.called("The 2 worst mistakes of mood") == [
        list(row.values()) for row in query(results, sql).to_pylist()
    ]
    matrix = [[cell or "0" for cell in row[1:]] for row in cells.called("Confusions")]
    sql = "SELECT count FROM confusion WHERE run = 'grid-1' AND gold = ? AND predicted = ?"
    counts = [[query(results, sql, [a, b]).to_pylist() for b in "abc"] for a in "abc"]
    assert matrix == [[str(found[0]["count"]) if found else "0" for found in row] for row in counts]


def test_an_empty_store_and_one_where_all_failed(results: Path) -> None:  # noqa: F811
    text = page(facts(results))
    assert "No run is recorded here yet." in text and Read(text)
    build(results)
    text = page(facts(results, ["grid-3"]))
    assert Read(text) and "There are no answers of this run: it is failed." in text and "no memory a text" in text
    assert "none has a score yet" in text


def test_json_facts_make_the_same_page(told: dict[str, Any]) -> None:
    assert page(json.loads(json.dumps(told))) == page(told)


def test_the_page_is_written_where_it_is_asked_for(told: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "new" / "page.html", told)
    assert (tmp_path / "new" / "page.html").read_text(encoding="utf-8") == page(told)


# Where shapes stand.


def test_round_numbers_within_a_scale() -> None:
    assert Scale([0.0, 1.0], 0).ticks() == [(0.0, "0.0"), (50.0, "0.5"), (100.0, "1.0")]
    assert [label for _, label in Scale([10, 4000]).ticks(True)] == ["0", "2,000", "4,000"]
    assert [label for _, label in Scale([1, 3]).ticks(True)] == ["1", "2", "3"]
    assert Scale([3.0]).at(3.0) == 50.0 and Scale([0.0]).low == 0.0


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
@settings(max_examples=200, deadline=None, database=None)
def test_scales_hold_their_values_and_their_ticks(values: list[float]) -> None:
    scale = Scale(values)
    assert all(-1e-6 <= scale.at(value) <= 100 + 1e-6 for value in values)
    assert all(-1e-6 <= place <= 100 + 1e-6 for place, _ in scale.ticks())
    assert len(scale.ticks()) <= 2 * plots.TICKS + 1


def test_curves_and_reliability() -> None:
    lines = {"train": {"points": [[1, 1.0], [3, 0.0]], "averaged": 1}}
    chart = plots.curve({"task": "mood", "metric": "loss", "lines": lines})
    assert (chart.title, chart.lines[0].points) == ("mood: loss", "1.92,3.85 98.08,100.00")
    assert chart.lines[0].said == "train: from 1.000 to 0.000, between 0.000 and 1.000."
    found = {"bins": [{"n": 4, "confidence": 0.5, "accuracy": 0.25}], "n": 4, "error": 0.25}
    chart = plots.reliability(found)
    assert [(dot.x, dot.y, dot.radius) for dot in chart.dots] == [(50.0, 75.0, 8.5)]
    assert chart.lines[1].points == "50.00,50.00 50.00,75.00"


def test_runs_run_through_their_values(told: dict[str, Any]) -> None:
    chart = plots.parallel(told["boards"][0])
    assert chart is not None and [axis.name for axis in chart.axes] == ["train.learning_rate", "macro_f1"]
    assert list(chart.axes[0].ticks) == [(95.0, "0.1"), (50.0, "0.2"), (5.0, "0.3")]
    assert chart.lines[-1].name == "grid-1" and chart.lines[-1].points.startswith("0.00,50.00 100.00,")
    assert plots.parallel(told["boards"][1]) is None


def test_bars_of_axes_share_a_scale() -> None:
    one = {"field": "x", "values": [{"value": "1", "runs": 1, "mean": 0.0, "best": 0.0}, {"value": "2", "runs": 1, "mean": 1.0, "best": 1.0}]}  # fmt: skip
    other = {"field": "y", "values": [{"value": "1", "runs": 2, "mean": 0.5, "best": 1.0}]}
    assert [row[1][0].width for row in tables.axis(other, [one, other]).rows] == [52.0]


def test_answers_in_words() -> None:
    assert wording.sides({"gold": "1.23456", "predicted": "x", "text": ""}, "quantities") == ("1.235", "x")
    assert wording.sides({"gold": '["a","b"]', "predicted": "[]", "text": ""}, "sets") == ("a, b", "none")
    tags = {"gold": '["O","B-x"]', "predicted": '["O","O"]', "text": "in Rome"}
    assert wording.sides(tags, "tags") == ("Rome B-x", "Rome O")
    assert wording.sides(tags | {"text": "Rome"}, "tags") == ('["O","B-x"]', '["O","O"]')
    assert wording.sides({"gold": None, "predicted": "a", "text": None}, "choices") == ("–", "a")
