"""Pages: facts to HTML by the templates of `runner report` and a few around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode

from runner.report import plots, tables, whiskers, wording
from runner.report.render import environment
from runner.run.deck import Card
from runner.run.reviewing import Review
from runner.serve import chosen
from runner.serve.console import ROWS, SECONDS, Answer, shown
from runner.serve.examples import EXAMPLES


@cache
def templates() -> Any:
    """The templates of the pages, in front of those of the report."""
    made = environment("runner.serve", "runner.report")
    made.globals |= {"plots": plots, "tables": tables, "whiskers": whiskers, "wording": wording}
    made.globals |= {"address": address, "shown": shown, "short": short}
    return made


def page(template: str, **values: Any) -> str:
    """A page as text."""
    return str(templates().get_template(template).render(values))


def address(path: str, **values: Any) -> str:
    """A link within the pages; values that are empty are left out."""
    given = {name: value for name, value in values.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def short(seconds: float | None) -> str:
    """A span of time for a person."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def overview(found: Mapping[str, Any]) -> str:
    """All grids and runs."""
    return page("overview.html", found=found)


def grid(board: Mapping[str, Any], asked: Mapping[str, str]) -> str:
    """The board of a grid, with the rows that were asked for."""
    links = {row["run"]: address("/run", name=row["run"]) for row in board["rows"] if row["state"] != "planned"}
    rows = chosen.chosen(board, asked)
    return page(
        "grid.html",
        board={**board, "rows": rows},
        all=len(board["rows"]),
        links=links,
        filters=chosen.filters(board, asked),
        orders=chosen.orders(board),
        asked=asked,
    )


def run(facts: Mapping[str, Any], grids: Sequence[str]) -> str:
    """A run in full."""
    return page("run-page.html", facts=facts, run=facts["runs"][0], grids=grids)


def compare(names: Sequence[str], a: str, b: str, found: Mapping[str, Any] | None) -> str:
    """Two sides beside each other, or the form that asks for them."""
    return page("compare.html", names=names, a=a, b=b, found=found)


def sql(text: str, form: str, schema: Sequence[Mapping[str, Any]], **found: Any) -> str:
    """The console; `found` has an `answer` or a `fault` where a statement was carried out."""
    answer: Answer | None = found.get("answer")
    return page(
        "sql.html",
        sql=text,
        form=form,
        schema=schema,
        examples=EXAMPLES,
        answer=answer,
        fault=found.get("fault"),
        limits={"rows": ROWS, "seconds": SECONDS},
    )


def review(
    review: Review,
    card: Card | None,
    place: int | None,
    done: int,
    form: str,
    scale: tuple[int, int],
    told: str,
    now: float,
) -> str:
    """A card to judge, or what all reviewers said where none is left."""
    values = {"card": card, "place": place, "done": done, "form": form, "scale": scale, "told": told, "now": now}
    return page("review.html", review=review, **values)


def fault(message: str, hint: str) -> str:
    """What went wrong."""
    return page("fault.html", message=message, hint=hint)
