"""The app: which address shows what. Only this file knows FastAPI, so it is imported inside functions only."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from runner.errors import RunnerError, did_you_mean
from runner.run.comparing import facts as compared
from runner.run.reporting import facts as told
from runner.serve import pages
from runner.serve.console import Console, as_csv
from runner.serve.door import Door
from runner.serve.overview import overview
from runner.serve.schema import schema
from runner.store.boards import board
from runner.store.facts import GRIDS
from runner.store.query import asking, records
from runner.store.show import unique

NAMES = "SELECT DISTINCT grid AS name FROM grid_members UNION SELECT run FROM runs ORDER BY name"
OWNERS = "SELECT DISTINCT grid FROM grid_members WHERE run = $run ORDER BY grid"

Name = Annotated[str, Query()]


def app(results: Path, token: str, port: int, console: Console | None = None) -> FastAPI:
    """The pages over a folder of results, behind their door."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    made.add_middleware(Door, token=token, port=port)
    made.mount("/served", StaticFiles(directory=Path(__file__).parent / "templates" / "served"))
    looks(made, results)
    asks(made, console or Console(results), secrets.token_urlsafe())
    made.add_exception_handler(RunnerError, fault)
    made.add_exception_handler(HTTPException, nowhere)
    made.add_exception_handler(RequestValidationError, nowhere)
    return made


def looks(made: FastAPI, results: Path) -> None:
    """The pages that only show; each is of one moment of the store, or asks for several moments as its verb does."""

    made.get("/style.css")(style)

    @made.get("/", response_class=HTMLResponse)
    def start() -> str:
        with asking(results) as ask:
            return pages.overview(overview(ask))

    @made.get("/grid", response_class=HTMLResponse)
    def grid(name: Name, request: Request) -> str:
        with asking(results) as ask:
            grids = {row["grid"]: row["runs"] for row in records(ask(GRIDS))}
            if name not in grids:
                raise RunnerError(f"no grid `{name}`", did_you_mean(name, grids) if grids else "none is there")
            return pages.grid(board(ask, name, name, grids[name]), dict(request.query_params))

    @made.get("/run", response_class=HTMLResponse)
    def run(name: Name) -> str:
        full = unique(results, name)
        with asking(results) as ask:
            owners = [row["grid"] for row in records(ask(OWNERS, {"run": full}))]
        return pages.run(told(results, [full]), owners)

    @made.get("/compare", response_class=HTMLResponse)
    def compare(a: Name = "", b: Name = "") -> str:
        with asking(results) as ask:
            names = [row["name"] for row in records(ask(NAMES))]
        return pages.compare(names, a, b, compared(results, a, b) if a and b else None)


def style() -> Response:
    """The style of the report."""
    return Response(files("runner.report").joinpath("templates/style.css").read_bytes(), media_type="text/css")


async def written(request: Request) -> dict[str, str]:
    """The fields of a form."""
    body = await request.body()
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


Form = Annotated[dict[str, str], Depends(written)]


def asks(made: FastAPI, console: Console, form: str) -> None:
    """The console. What it carries out comes by POST, with the word that only our own page has."""

    def ours(fields: Mapping[str, str]) -> None:
        if not secrets.compare_digest(fields.get("form", "").encode(), form.encode()):
            raise HTTPException(403, "This form is not from this program: load the page anew.")

    def shown(text: str, **found: Any) -> str:
        with asking(console.results) as ask:
            return pages.sql(text, form, schema(ask), **found)

    @made.get("/sql", response_class=HTMLResponse)
    def box(sql: Name = "") -> str:
        return shown(sql)

    @made.post("/sql")
    def answer(fields: Form) -> Response:
        ours(fields)
        sql = fields.get("sql", "")
        try:
            found = console.ask(sql, fields.get("ticket") or secrets.token_urlsafe())
        except RunnerError as error:
            return HTMLResponse(shown(sql, fault=error), 400)
        if fields.get("as") == "csv":
            attached = {"content-disposition": 'attachment; filename="rows.csv"'}
            return Response(as_csv(found), media_type="text/csv; charset=utf-8", headers=attached)
        return HTMLResponse(shown(sql, answer=found))

    @made.post("/sql/cancel", response_class=PlainTextResponse)
    def cancel(fields: Form) -> str:
        ours(fields)
        return "cancelled" if console.cancel(fields.get("ticket", "")) else "over"


async def fault(request: Request, error: Exception) -> Response:
    """The page of an error of ours that is the asker's."""
    assert isinstance(error, RunnerError)
    return HTMLResponse(pages.fault(error.message, error.hint), 404)


async def nowhere(request: Request, error: Exception) -> Response:
    """The page of an address that shows nothing, or a form that is not ours."""
    status = getattr(error, "status_code", 404)
    detail = getattr(error, "detail", "")
    message = detail if status == 403 else f"there is nothing at {request.url.path}"
    return HTMLResponse(pages.fault(str(message), "the overview lists grids and runs"), status)
