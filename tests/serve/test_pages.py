"""The pages: what they tell is what the store has, hostile words stay words, and they can be used without seeing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.serve.chosen import chosen, filters
from runner.serve.overview import overview
from runner.store.boards import board
from runner.store.query import asking
from tests.report.test_page import HOSTILE, Read
from tests.report.test_results import STYLE, Cells
from tests.reported import build
from tests.serve.conftest import TOKEN, Visitor, client
from tests.store.conftest import log_of, start

GRID = [f"grid-{place}" for place in range(5)]


def seen(visitor: Visitor, path: str) -> str:
    answer = visitor.web.get(path)
    assert answer.status_code == 200, answer.text[-500:]
    return str(answer.text)


def test_the_overview_lists_grids_and_lone_runs(visitor: Visitor) -> None:
    cells = Cells(seen(visitor, "/"))
    (grid,) = cells.called("Grids, with")
    assert grid == ["grid", "5", "3 finished, 1 failed, 1 planned", "2024-01-01 00:00:00", "0.750", "validation mood.macro_f1", "grid-1"]  # fmt: skip
    assert [row[:2] for row in cells.called("Runs of no grid")] == [["many", "finished"]]


def test_what_runs_shows_how_far_it_is(store: Path) -> None:
    log = log_of(store, "new")
    start(log, name="new", params={"train.epochs": 4})
    log.write("metrics", step=10, epoch=1.0, split="train", values={"loss": 0.5})
    with asking(store) as ask:
        (row,) = overview(ask)["live"]
    assert (row["run"], row["step"], row["epoch"], row["share"], row["loss"]) == ("new", 10, 1.0, 0.25, 0.5)
    web = client(store)
    web.get(f"/?token={TOKEN}")
    text = web.get("/").text
    assert '<progress max="1" value="0.250" aria-label="new">' in text and "1 running" in text


def test_the_best_of_a_grid_knows_that_errors_are_better_low(store: Path) -> None:
    for place, value in enumerate((0.5, 0.25, 0.75)):
        log = log_of(store, f"low-{place}")
        log.write("grid", grid="low", grid_key="k", position=place, point={"train.epochs": place})
        start(log, name="low")
        rows = [{"task": "stars", "metric": "mean_absolute_error", "value": value}]
        log.write("scores", split="validation", model="best", rows=rows)
    with asking(store) as ask:
        found = {each["grid"]: each["best"]["run"] for each in overview(ask)["grids"]}
    assert found == {"grid": "grid-1", "low": "low-1"}


@pytest.mark.parametrize(
    ("asked", "runs"),
    [
        ("", ["grid-1", "grid-0", "grid-2", "grid-3", "grid-4"]),
        ("&sort=train.learning_rate", GRID),
        ("&sort=train.learning_rate&order=down", GRID[::-1]),
        ("&sort=test mood.macro_f1", ["grid-2", "grid-0", "grid-1", "grid-3", "grid-4"]),
        ("&state=failed", ["grid-3"]),
        ("&train.learning_rate=0.2", ["grid-1"]),
        ("&train.learning_rate=0.2&state=failed", []),
        ("&train.learning_rate=7", []),
    ],
)  # fmt: skip
def test_rows_are_filtered_and_sorted_by_the_address_alone(visitor: Visitor, asked: str, runs: list[str]) -> None:
    text = seen(visitor, f"/grid?name=grid{asked}")
    assert [row[1] for row in Cells(text).called("Runs with")] == runs
    assert ("show all" in text) == (len(runs) < 5)


def test_filters_offer_what_there_is(store: Path) -> None:
    with asking(store) as ask:
        found = board(ask, "grid", "grid", GRID)
    lists = {each.field: (each.values, each.chosen) for each in filters(found, {"state": "failed"})}
    assert lists["state"] == (["failed", "finished", "planned"], "failed")
    assert lists["train.learning_rate"] == (["0.1", "0.2", "0.3", "0.4", "0.5"], "")
    with pytest.raises(RunnerError, match="can't be sorted by `sead`") as caught:
        chosen(found, {"sort": "sead"})
    assert "seed" in caught.value.hint


def test_a_run_in_full_and_two_side_by_side(visitor: Visitor) -> None:
    text = seen(visitor, "/run?name=grid-1")
    for part in ("Curves", "Confusions", "worst mistakes", "Files that were read", "2.13.0", 'href="/grid?name=grid"'):
        assert part in text, part
    text = seen(visitor, "/compare?a=grid-0&b=grid-1")
    assert ["train.learning_rate", "0.1", "0.2"] in Cells(text).called("What differs")
    assert Cells(text).called("Scores of both")[0][:2] == ["mood.macro_f1", "test"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/run?name=gri", "names 4 runs"),
        ("/run?name=manx", "did you mean `many`?"),
        ("/run?name=grid", "names 4 runs"),
        ("/run", "there is nothing at /run"),
        ("/grid?name=gird", "did you mean `grid`?"),
        ("/grid?name=grid&sort=x", "sorted by"),
        ("/compare?a=grid-0&b=nobody", "names no run"),
        ("/elsewhere", "there is nothing at /elsewhere"),
        ("/served/../app.py", "there is nothing"),
        ("/served/%2e%2e/%2e%2e/app.py", "there is nothing"),
    ],
)
def test_what_is_not_there_is_said(visitor: Visitor, path: str, said: str) -> None:
    answer = visitor.web.get(path)
    assert answer.status_code == 404 and said in "".join(Read(answer.text).text)


def test_hostile_words_are_only_ever_words(tmp_path: Path) -> None:
    web = client(build(tmp_path, HOSTILE, HOSTILE))
    web.get(f"/?token={TOKEN}")
    start(log_of(tmp_path, "bad"), name=HOSTILE, params={HOSTILE: HOSTILE})
    log_of(tmp_path, "bad").write("grid", grid=HOSTILE, grid_key="k", position=0, point={HOSTILE: HOSTILE})
    pages = [web.get("/")] + [web.get(path, params={"name": name}) for path, name in (("/grid", HOSTILE), ("/run", "many"), ("/run", "bad"))]  # fmt: skip
    pages += [web.get("/compare", params={"a": "grid-0", "b": "many"}), web.get("/sql", params={"sql": HOSTILE})]
    pages += [web.get("/grid", params={"name": HOSTILE + "x"}), web.get("/compare", params={"a": HOSTILE, "b": "bad"})]
    for answer in pages:
        read = Read(answer.text)
        assert not {"b", "img", "iframe"} & {tag for tag, _ in read.elements}
        for tag, found in read.elements:
            assert tag != "script" or re.fullmatch(r"/served/\w+\.js", str(found["src"]))
            assert not [name for name in found if name.startswith("on")]
            assert re.fullmatch(STYLE, found.get("style") or ""), found
            assert re.match(r"[#/](?!/)|$", found.get("href") or ""), found
    assert sum("{{ name }}" in "".join(Read(answer.text).text) for answer in pages) >= 6


@pytest.mark.parametrize("path", ["/", "/grid?name=grid", "/run?name=many", "/compare?a=grid-0&b=grid-1", "/sql"])
def test_it_can_be_used_without_seeing(visitor: Visitor, path: str) -> None:
    read = Read(seen(visitor, path))
    tags = [tag for tag, _ in read.elements]
    assert [tags.count(tag) for tag in ("main", "header", "h1")] == [1, 1, 1]
    assert tags.count("table") == tags.count("caption")
    ids = [found["id"] for _, found in read.elements if "id" in found]
    assert len(ids) == len(set(ids))
    fields = [
        found
        for tag, found in read.elements
        if tag in ("input", "select", "textarea") and found.get("type") != "hidden"
    ]
    labelled = {found.get("for") for tag, found in read.elements if tag == "label"}
    assert all(found.get("id") in labelled or None in labelled for found in fields)
    for tag, found in read.elements:
        if found.get("role") == "region":
            assert found["tabindex"] == "0" and found["aria-label"]
        if tag == "a" and str(found["href"]).startswith("#"):
            assert str(found["href"])[1:] in ids
        if tag == "progress":
            assert found["aria-label"]
    assert ("a", {"class": "skip", "href": "#main"}) in read.elements


def test_an_empty_store_has_pages_too(results: Path) -> None:
    web = client(results)
    web.get(f"/?token={TOKEN}")
    assert "No run is recorded here yet." in web.get("/").text
    assert web.get("/compare").status_code == web.get("/sql").status_code == 200
