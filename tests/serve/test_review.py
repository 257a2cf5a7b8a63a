"""The review page: a reviewer walks through all cards, blind, behind the door, with texts that are only texts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the pages need the extra `ui`")

from runner.run.reviewing import Review, facts, review
from runner.store.log import Log
from runner.store.query import query
from tests.run.test_reviewing import WROTE, write
from tests.serve.conftest import PLACE, PORT, TOKEN


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for run in WROTE:
        write(tmp_path, run)
    return tmp_path


def web(own: Review) -> Any:
    """A client that came in."""
    from fastapi.testclient import TestClient

    from runner.serve.review import app

    made = TestClient(app(own, TOKEN, PORT), PLACE, follow_redirects=False)
    assert made.get("/").status_code == 403
    assert made.get(f"/?token={TOKEN}").status_code == 303
    return made


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the form."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


def judge(client: Any, page: str, **said: str) -> Any:
    return client.post("/judge", data=fields(page) | said, headers={"origin": PLACE})


def test_all_cards_one_after_the_other(store: Path) -> None:
    own = review(store, ["old", "new"], "ann")
    client, at = web(own), "/"
    for count in range(5):
        page = client.get(at).text
        assert f"{count} of 5 cards judged by ann; 1 pair of equal answers left out" in page
        assert "old-1" not in page and "new-1" not in page
        left = page.split("Right")[0]
        answer = judge(client, page, **{"by-overall": "left" if "longer" in left else "right", "note": f"n{count}"})
        assert answer.status_code == 303
        at = answer.headers["location"]
    assert at == "/"
    assert "All cards are judged" in client.get("/").text
    (won,) = facts(store, ["old", "new"])["wins"]
    assert (won["run"], won["better"], won["worse"]) == ("new-1", 5, 0)
    rows = query(store, "SELECT note, seconds FROM reviews ORDER BY note").to_pylist()
    assert [row["note"] for row in rows] == [f"n{count}" for count in range(5)]
    assert all(0 <= row["seconds"] < 600 for row in rows)


def test_skipping_leads_on_and_back(store: Path) -> None:
    client = web(review(store, ["old", "new"], "ann"))
    assert 'href="/?at=1">Skip' in client.get("/").text
    page = client.get("/?at=3").text
    assert 'href="/?at=2">Card before' in page
    assert judge(client, page, **{"by-overall": "tie"}).headers["location"] == "/?at=4"
    assert judge(client, client.get("/?at=4").text, **{"by-overall": "tie"}).headers["location"] == "/?at=0"
    assert client.get("/?at=99").status_code == 200


def test_ratings_by_two_criteria(store: Path) -> None:
    client = web(review(store, ["new"], "ann", criteria=["humour", "sense of <b>"]))
    page = client.get("/").text
    assert "<b>" not in page and "(best)" in page
    answer = judge(client, page, **{"by-humour": "4"})
    assert answer.status_code == 404 and "nothing is said about sense of" in answer.text
    assert not query(store, "FROM reviews").to_pylist()
    judge(client, page, **{"by-humour": "4", "by-sense of <b>": "2"})
    found = query(store, "SELECT criterion, value FROM reviews ORDER BY ALL").to_pylist()
    assert [(row["criterion"], row["value"]) for row in found] == [("humour", 4.0), ("sense of <b>", 2.0)]


@pytest.mark.parametrize("change", [{"form": "guessed"}, {"card": "7"}, {"card": "-1"}, {"by-overall": "both"}])
def test_forms_that_say_nothing_record_nothing(store: Path, change: dict[str, str]) -> None:
    client = web(review(store, ["old", "new"], "ann"))
    answer = judge(client, client.get("/").text, **({"by-overall": "tie"} | change))
    assert answer.status_code in (403, 404)
    assert not query(store, "FROM reviews").to_pylist()


def test_texts_are_only_texts(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\u202e"
    log = Log(tmp_path / "runs" / "evil-1", "evil-1", 1)
    log.write("run_started", name="evil", seed=1)
    more = {"ids": ["i"], "prompt": [evil], "gold": [evil], "text": [evil], "tokens": [1], "ended": [True]}
    log.write("samples", split="test", task="t", model="best", **more)
    log.write("run_finished", state="finished", seconds=1.0)
    log.close()
    page = web(review(tmp_path, ["evil"], "<i>ann</i>")).get("/").text
    assert "<script>alert" not in page and "<i>ann" not in page and "&lt;script&gt;" in page
