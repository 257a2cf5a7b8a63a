"""Tables of text are those that rich draws."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runner.store.ruled import ruled

CELLS = st.text(st.sampled_from("ab 1.é日ｗ"), max_size=6).map(str.strip)
TABLES = st.integers(1, 3).flatmap(
    lambda columns: st.tuples(
        st.lists(CELLS.filter(bool), min_size=columns, max_size=columns),
        st.lists(st.booleans(), min_size=columns, max_size=columns),
        st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=3),
    )
)


@given(TABLES)
@settings(max_examples=60, deadline=None, database=None)
def test_a_table_is_that_of_rich(table: tuple[list[str], list[bool], list[list[str]]]) -> None:
    names, right, rows = table
    out = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, number in zip(names, right, strict=True):
        out.add_column(Text(name), justify="right" if number else "left")
    for row in rows:
        out.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=1000, no_color=True)
    with console.capture() as caught:
        console.print(out)
    drawn = [line.rstrip() for line in caught.get().rstrip().splitlines()]
    assert ruled(names, right, rows).rstrip().splitlines() == drawn
