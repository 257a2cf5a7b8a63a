"""The review page: one card at a time, judged by a form; only this file and `app` know FastAPI."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from runner.errors import RunnerError
from runner.run.deck import Card
from runner.run.reviewing import SCALE, Review, facts, text
from runner.serve import pages
from runner.serve.app import fault, nowhere, style, written
from runner.serve.door import Door

Form = Annotated[dict[str, str], Depends(written)]
LONGEST = 3600.0  # seconds on one card; whoever needs longer was away


def app(review: Review, token: str, port: int) -> FastAPI:
    """The page of one reviewer, behind the same door as all others."""
    made, form = FastAPI(docs_url=None, redoc_url=None, openapi_url=None), secrets.token_urlsafe()
    made.add_middleware(Door, token=token, port=port)
    made.mount("/served", StaticFiles(directory=Path(__file__).parent / "templates" / "served"))
    made.get("/style.css")(style)

    @made.get("/", response_class=HTMLResponse)
    def card(at: int | None = None) -> str:
        left, cards = review.left(), review.deck.cards
        chosen = cards[at] if at is not None and 0 <= at < len(cards) else next(iter(left), None)
        place = None if chosen is None else cards.index(chosen)
        told = text(facts(review.results, review.runs)) if chosen is None else ""
        return pages.review(review, chosen, place, len(cards) - len(left), form, SCALE, told, time.time())

    @made.post("/judge")
    def judge(fields: Form) -> Response:
        if not secrets.compare_digest(fields.get("form", "").encode(), form.encode()):
            raise HTTPException(403, "This form is not from this program: load the page anew.")
        record(review, at(review, fields), fields)
        return RedirectResponse(following(review, int(fields["card"])), 303)

    made.add_exception_handler(RunnerError, fault)
    made.add_exception_handler(HTTPException, nowhere)
    return made


def at(review: Review, fields: Mapping[str, str]) -> Card:
    """The card that a form is about."""
    place = fields.get("card", "")
    if not place.isdecimal() or int(place) >= len(review.deck.cards):
        raise RunnerError("this form is about no card", "load the page anew")
    return review.deck.cards[int(place)]


def following(review: Review, place: int) -> str:
    """Where the next card is shown: the first that is left behind this one, or else before it."""
    left = [review.deck.cards.index(card) for card in review.left()]
    return f"/?at={next((each for each in left if each > place), left[0])}" if left else "/"


def record(review: Review, card: Card, fields: Mapping[str, str]) -> None:
    """Put on record what a form says by each criterion; RunnerError, and nothing recorded, where it lacks one."""
    missing = [name for name in review.criteria if not fields.get(f"by-{name}")]
    if missing:
        raise RunnerError(f"nothing is said about {', '.join(missing)}", "go back and choose")
    began = fields.get("began", "")
    seconds = time.time() - float(began) if began.replace(".", "", 1).isdecimal() else -1.0
    for name in review.criteria:
        spent = seconds if 0 <= seconds <= LONGEST else None
        review.judge(card, name, fields[f"by-{name}"], fields.get("note", "")[:2000], spent)
