"""The pages over a store that has all that a report tells, asked by a client that came in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.reported import build
from tests.store.conftest import new, results  # noqa: F401

pytest.importorskip("fastapi", reason="the pages need the extra `ui`")

TOKEN, PORT = "the-token-of-tests", 8765
PLACE = f"http://127.0.0.1:{PORT}"


class Visitor(NamedTuple):
    """A browser of sorts."""

    web: Any

    def sql(self, sql: str, **more: str) -> Any:
        """The answer to a statement that is sent from our page."""
        fields = {"form": self.form(), "sql": sql, **more}
        return self.web.post("/sql", data=fields, headers={"origin": PLACE})

    def form(self) -> str:
        """The word that only our page has."""
        (found,) = re.findall(r'name="form" value="([^"]+)"', self.web.get("/sql").text)
        return str(found)


def client(results: Path, **console: Any) -> Any:  # noqa: F811
    """A client outside the door."""
    from fastapi.testclient import TestClient

    from runner.serve.app import app
    from runner.serve.console import Console

    return TestClient(app(results, TOKEN, PORT, Console(results, **console)), PLACE, follow_redirects=False)


@pytest.fixture
def store(results: Path) -> Path:  # noqa: F811
    return build(results)


@pytest.fixture
def stranger(store: Path) -> Any:
    return client(store)


@pytest.fixture
def visitor(store: Path) -> Iterator[Visitor]:
    web = client(store, seconds=3, rows=5)
    assert web.get(f"/?token={TOKEN}").status_code == 303
    yield Visitor(web)
