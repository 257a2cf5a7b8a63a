"""`[evaluate] by`: each name is a column of the data, with few enough values; trials without it stay what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cache.cache import Cache
from runner.plan.check import Checker
from runner.plan.compile import compile
from runner.plan.groups import names_of
from runner.spec.read import read
from tests.conftest import rows, write_csv
from tests.plan.test_check import change, look, only, text_at


def grouped(tiny: Path, columns: str) -> None:
    change(tiny, "[evaluate]", f"[evaluate]\nby = {columns}")


@pytest.mark.parametrize(
    ("columns", "message", "hint", "at"),
    [
        ('["sise"]', "no data set has a column `sise`", "did you mean `size`?", '"sise"'),
        ('["id"]', "no data set has a column `id`", "", '"id"'),
        ('["size", "size"]', "`size` stands twice in `by`", "leave one of them out", '"size"'),
        ('["lenght_bucket"]', "no data set has a column `lenght_bucket`", "did you mean `length_bucket`?", '"lenght_bucket"'),
    ],
)  # fmt: skip
def test_what_makes_no_groups_is_told_at_its_place(tiny: Path, columns: str, message: str, hint: str, at: str) -> None:
    grouped(tiny, columns)
    fault = only(tiny)
    assert (fault.message, text_at(tiny, fault)) == (message, at) and hint in fault.hint


def test_a_column_that_tells_almost_every_row_apart_makes_no_groups(tiny: Path) -> None:
    write_csv(tiny.parent / "test.csv", rows(150, 80))
    grouped(tiny, '["text"]')
    assert only(tiny).message == "`text` has 150 values: that many groups tell nothing apart"


def test_columns_and_lengths_make_groups(tiny: Path) -> None:
    grouped(tiny, '["size", "length_bucket"]')
    found = look(tiny)
    assert found.warnings == ()
    table = found.loaded["films"].splits["test"]
    assert names_of(table, "size") == table["size"].to_pylist()
    assert names_of(table, "genre") == ["(none)"] * 24


def test_groups_make_another_trial_and_none_make_the_same(tiny: Path, tmp_path: Path) -> None:
    def key() -> str:
        checker = Checker(Cache(tmp_path / "cache"))
        return compile(checker.check(read(tiny)), checker.cache).trials[0].key

    before = key()
    change(tiny, "[evaluate]", "[evaluate]\nby = []\nsmallest_group = 10")
    assert key() == before
    change(tiny, "by = []", 'by = ["size"]')
    assert key() != before


@pytest.mark.parametrize("name", ["mood.worst_group", "mood.worst_group_gap", "mood.accuracy.worst_group_gap"])
def test_criteria_may_name_the_worst_group_where_there_are_groups(tiny: Path, name: str) -> None:
    change(tiny, "[execute]", f'[evaluate.require]\n"{name}" = {{ at_most = 1.0 }}\n\n[execute]')
    assert only(tiny).message == f"no score `{name}` is measured"
    grouped(tiny, '["size"]')
    assert look(tiny).warnings == ()
