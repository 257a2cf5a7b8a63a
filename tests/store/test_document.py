"""The schema in docs/store.md is that of today."""

from __future__ import annotations

from runner.store.document import FILE, placed, text
from runner.store.migrations import ALL_TABLES
from runner.store.views import VIEWS


def test_the_schema_in_the_document_is_fresh() -> None:
    page = FILE.read_text(encoding="utf-8")
    assert placed(page) == page, "`make fresh` writes it anew"


def test_every_table_and_view_is_described() -> None:
    titles = {line[6:-1] for line in text().splitlines() if line.startswith("#### `")}
    assert titles == {*ALL_TABLES, *VIEWS} - {"migrations", "texts"}
