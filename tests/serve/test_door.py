"""Nobody comes in without the token, by another host's name, or from another origin; GET changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.serve.conftest import PLACE, PORT, TOKEN, Visitor, client

PAGES = ["/", "/grid?name=grid", "/run?name=many", "/compare", "/sql", "/style.css", "/served/live.js", "/nothing"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("more", ["", "token=wrong", "token="])
def test_without_the_token_there_is_nothing(stranger: Any, path: str, more: str) -> None:
    answer = stranger.get(f"{path}{'&' if '?' in path else '?'}{more}")
    assert answer.status_code == 403 and "token" in answer.text and "set-cookie" not in answer.headers


def test_the_token_becomes_a_cookie_and_leaves_the_address(stranger: Any) -> None:
    answer = stranger.get(f"/grid?name=a%26b&token={TOKEN}")
    assert answer.status_code == 303 and answer.headers["location"] == "/grid?name=a%26b"
    assert answer.headers["set-cookie"] == f"runner-{PORT}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    assert stranger.get("/").status_code == 200


def test_the_way_in_leads_to_no_other_host(store: Path) -> None:
    answer = client(store).get(f"{PLACE}//elsewhere.example/?token={TOKEN}")
    assert answer.headers["location"] == "/elsewhere.example/"


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", ""])
def test_another_name_for_this_machine_is_refused(visitor: Visitor, host: str) -> None:
    assert visitor.web.get("/", headers={"host": host}).status_code == 421
    assert visitor.web.get(f"/?token={TOKEN}", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", f"https://127.0.0.1:{PORT}", f"http://localhost:{PORT}", None]
)
def test_a_form_of_another_origin_is_refused(visitor: Visitor, origin: str | None) -> None:
    headers = {"origin": origin} if origin else {}
    for path in ("/sql", "/sql/cancel"):
        answer = visitor.web.post(path, data={"form": visitor.form(), "sql": "SELECT 1"}, headers=headers)
        assert answer.status_code == 403 and "origin" in answer.text


def test_a_form_that_is_not_ours_is_refused(visitor: Visitor) -> None:
    for form in ("", "guessed", "gu\u00e9"):
        answer = visitor.web.post("/sql", data={"form": form, "sql": "SELECT 1"}, headers={"origin": PLACE})
        assert answer.status_code == 403 and "not from this program" in answer.text


def test_a_form_has_a_length_and_not_too_much(visitor: Visitor) -> None:
    answer = visitor.sql("SELECT 1 -- " + "x" * 70_000)
    assert answer.status_code == 413
    chunks = visitor.web.post("/sql", content=iter([b"sql=1"]), headers={"origin": PLACE})
    assert chunks.status_code == 411


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(visitor: Visitor, method: str) -> None:
    answer = visitor.web.request(method, "/sql", headers={"origin": PLACE, "access-control-request-method": "POST"})
    assert answer.status_code == 405 and not [name for name in answer.headers if name.startswith("access-control")]


def test_looking_carries_out_no_sql(visitor: Visitor) -> None:
    text = visitor.web.get("/sql", params={"sql": "SELECT 40 + 2 AS sum"}).text
    assert "SELECT 40 + 2 AS sum" in text and "42" not in text and "<caption>The rows" not in text
    assert visitor.web.get("/sql/cancel").status_code == 405


def test_every_answer_keeps_to_itself(visitor: Visitor, stranger: Any) -> None:
    for answer in (*(visitor.web.get(path) for path in PAGES), stranger.get("/"), visitor.sql("SELECT 1")):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ") and "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert TOKEN not in answer.text
