"""The page of an account: well formed, self-contained, accessible, and no text of the data becomes part of its code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.data.account import Tally
from runner.errors import RunnerError
from runner.profile.profile import profile
from runner.report import bars, charts
from runner.report.page import page, write

VOID = {"meta", "br", "link", "img", "input", "hr"}
HOSTILE = """</style></pre><script src=//evil>alert(1)</script><b onload="x">&amp;'\x00\x1b "{{ name }}{% raw %}"""


class Read(HTMLParser):
    """Elements with their attributes, all text, and whether every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def account(rows: Iterable[tuple[str, str, str]], scratch: Path, target: str = "label", groups: str = "genre") -> Any:
    """What `runner data --json` says of rows of text, label and group."""
    texts, labels, genres = zip(*rows, strict=True)
    ids = [f"{place:04}" for place in range(len(texts))]
    table = pa.table({"id": ids, "text": list(texts), target: list(labels), groups: list(genres)})
    found = profile(table, ["text"], [target], groups, scratch)
    dropped, changed = Tally("clean", "pattern", "train", 9), Tally("clean", "lowercase", "train", 9)
    dropped.dropped[labels[0]] = 1
    dropped.sample(labels[0], {"id": texts[0], "before": texts[0], "after": texts[0]})
    changed.change(texts[0], texts[0], texts[-1])
    weights = {"mood": {label: 1 + 1 / each for each, label in enumerate(dict.fromkeys(labels), 1)}}
    steps = [dropped.facts(), changed.facts()]
    return {"rows": {}, "labels": {}, "steps": steps, "weights": weights, "profile": {"train": found, "test": found}}


def few(scratch: Path) -> Any:
    return account([("Good day to you", "happy", "mail"), ("good day to you!", "sad", "chat"), ("Bad", "sad", "mail")], scratch)  # fmt: skip


def test_the_page_tells_the_account_and_the_profile(tmp_path):
    told = " ".join(" ".join(Read(page("first", {"films": few(tmp_path)})).text).split())
    for part in ("Data of first", "films", "pattern", "lowercase", "good day to", "Groups by genre", "happy", "Good day to you"):  # fmt: skip
        assert part in told
    assert "1 (33.3%)" in told and "2 (66.7%)" in told


def test_nothing_is_fetched_and_no_script_runs(tmp_path):
    text = page("first", {"films": few(tmp_path), "books": few(tmp_path)})
    assert not re.search(r"https?:|//|url\(|@import|javascript:", text, re.IGNORECASE)
    read = Read(text)
    assert text.startswith("<!DOCTYPE html>")
    for tag, attributes in read.elements:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base", "form", "use")
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "data")]
        assert (attributes.get("href") or "#").startswith("#")
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"}) in read.elements  # fmt: skip


def test_hostile_text_is_only_ever_text(tmp_path):
    harmless = account([("a b c d", "x", "g"), ("e f", "y", "h")], tmp_path, "t", "k")
    hostile = account([(HOSTILE, HOSTILE, HOSTILE), ("e f", "y", "h")], tmp_path, HOSTILE, HOSTILE + "2")
    plain, attacked = (Read(page(name, {name: data})) for name, data in (("n", harmless), (HOSTILE, hostile)))
    tags = [[(tag, sorted(found)) for tag, found in each.elements] for each in (plain, attacked)]
    assert [each for each in tags[1] if each[0] in ("script", "b")] == []
    assert {tag for tag, _ in tags[1]} == {tag for tag, _ in tags[0]}
    assert {str(each) for each in tags[1]} == {str(each) for each in tags[0]}
    shown = HOSTILE.replace("\x00", "␀").replace("\x1b", "␛")
    assert shown in "".join(attacked.text) and "\x00" not in "".join(attacked.text)
    for _, attributes in attacked.elements:
        style = attributes.get("style") or ""
        assert re.fullmatch(r"(--w:[\d.]+%|(fill|background):var\(--k\d+\)|margin:0.5rem 0|width:100%)?", style), style


def test_it_can_be_read_without_seeing(tmp_path):
    many = account([(f"text {i * 7919}", f"class {i % 60}", "abc"[i % 3]) for i in range(120)], tmp_path)
    text = page("first", {"films": few(tmp_path), "books": many})
    read = Read(text)
    assert ("html", {"lang": "en"}) in read.elements
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawings = [attributes for tag, attributes in read.elements if tag == "svg" and "role" in attributes]
    assert len(drawings) == 8 + 2 * 2 + 2 + 2 * 3 - 1 and all(each["role"] == "img" for each in drawings)
    for each in drawings:
        assert each.get("aria-label") or all(name in ids for name in str(each["aria-labelledby"]).split())
    assert {attributes.get("scope") for tag, attributes in read.elements if tag == "th"} == {"row", "col"}
    for svg in re.findall(r'<svg[^>]*role="img".*?</title>', text, re.DOTALL):
        assert "<title" in svg


def test_hundreds_of_classes_are_a_curve_and_a_folded_table(tmp_path):
    many = account([(f"text {i * 7919}", f"class {i % 150:03}", "abc"[i % 3]) for i in range(301)], tmp_path)
    tables = bars.classes(many["profile"], "label")
    assert [(title, len(table.rows)) for title, table in tables] == [
        ("The 10 most frequent", 10), ("The 10 least frequent", 10), ("All 150", 150),
    ]  # fmt: skip
    assert tables[0][1].rows[0][0] == "class 000"
    lines = charts.ranks(many["profile"], "label")
    assert (lines.highest, lines.lowest) == (3 / 301, 2 / 301)
    assert lines.lines[0].points.startswith("0.00,0.00 0.67,0.00 0.67,100.00")
    text = page("first", {"films": many})
    assert text.count("class 075") >= 2 and "150 classes, the most frequent 3 rows, the least frequent 2." in text


def test_where_bars_stand(tmp_path):
    data = few(tmp_path)["profile"]
    ((_, table),) = bars.classes(data, "label")
    assert table.rows == [
        ("sad", [bars.Cell("2", "(66.7%)", 100.0)] * 2), ("happy", [bars.Cell("1", "(33.3%)", 50.0)] * 2),
    ]  # fmt: skip
    chart = charts.histograms(data, "words")[0]
    assert [(bar.x, bar.width, bar.height, bar.said) for bar in chart.bars] == [
        (0.0, 25.0, pytest.approx(50), "1 word: 33.3%"),
        (75.0, 25.0, pytest.approx(100), "4 to 5 words: 66.7%"),
    ]
    assert chart.summary == "train: half of the texts have at most 4 words, 95 % at most 4, the longest 4."


def test_segments_fill_the_bar_and_rare_classes_share_one():
    segments = charts.stacked({"a": 6, "b": 1, "c": 3}, ["c", "a"])
    assert [(each.x, each.width, each.colour, each.said) for each in segments] == [
        (0.0, 30.0, 0, "c: 3 (30.0%)"), (30.0, 60.0, 1, "a: 6 (60.0%)"), (90.0, 10.0, 10, "all others: 1 (10.0%)"),
    ]  # fmt: skip
    rare = {"classes": {"t": {"rows": {f"{place:02}": 1 for place in range(12)}}}}
    assert len(charts.legend(rare, "t")) == 9


def test_languages_that_were_not_measured_are_said_to_be_so(tmp_path):
    data = few(tmp_path)
    for each in data["profile"].values():
        each["languages"] = None
    assert "Not measured" in page("first", {"films": data})


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)] * 3), min_size=1, max_size=8))  # fmt: skip
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_makes_a_well_formed_page(tmp_path, rows):
    read = Read(page("first", {"films": account(rows, tmp_path)}))
    assert "script" not in {tag for tag, _ in read.elements}


def test_it_is_written_where_it_shall_be(tmp_path):
    write(tmp_path / "new" / "page.html", "first", {"films": few(tmp_path)})
    assert Read((tmp_path / "new" / "page.html").read_text(encoding="utf-8"))
    with pytest.raises(RunnerError, match="is a folder"):
        write(tmp_path, "first", {})
