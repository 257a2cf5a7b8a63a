"""The quick reader of points takes what the careful one takes, with the same result, and what `Log` writes at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.store import quick, tail
from runner.store.points import Points
from tests.store.conftest import NEW_YEAR

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.0, 0.5, 2**63 - 1, 2**63, 10**400, 1e300, "NaN", "Infinity", "x", "é", [], {}]
)
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "attempt": st.just(1) | ODD,
    "time": st.just(NEW_YEAR) | ODD,
    "step": st.integers(0, 9) | ODD,
    "values": st.dictionaries(st.sampled_from(["loss", "a.f1", ".loss", "a.b.c", "ü", ""]), st.floats() | ODD) | ODD,
}
MORE = {"run": st.just("demo") | ODD, "epoch": st.floats() | ODD, "split": st.just("train") | ODD, "new": ODD}
LINES = st.fixed_dictionaries(PARTS, optional=MORE).map(lambda fields: json.dumps({"event": "metrics"} | fields))
LINES = LINES.map(lambda line: line.replace('", ', '",').replace('": ', '":') if len(line) % 2 else line)


def state(points: Points) -> str:
    """All that was understood; as text, for NaN is not equal to itself."""
    return repr([value for name, value in sorted(vars(points).items())])


@given(LINES, st.binary(max_size=3))
@settings(max_examples=200, deadline=None, database=None)
def test_what_the_quick_reader_takes_the_careful_one_takes_too(line: str, torn: bytes) -> None:
    raw = line.encode() + torn
    points, fresh = Points(), tail.Fresh()
    if not quick.add(points, "demo", raw):
        assert state(points) == state(Points())
        return
    tail.understand(fresh, "demo", tail.loaded(raw))
    assert state(points) == state(fresh.points)


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"metrics","run":"demo","attempt":2,"time":1.5,"step":3,"epoch":0.5,"split":"train","values":{"loss":1}}',
        '{"event":"metrics","run":"demo","attempt":2,"time":1.5,"step":3,"values":{"loss":1.0,"a.f1":null}}',
    ],
)
def test_lines_of_the_log_are_taken(line: str) -> None:
    points = Points()
    assert line.encode().startswith(quick.START) and quick.add(points, "demo", line.encode() + b"\n")
    assert points.values[0] == 1.0 and list(points.records)[:4] == [0, 2, 1_500_000, 3]


def test_letters_that_are_escaped_are_left_to_the_careful_reader() -> None:
    line = b'{"event":"metrics","attempt":1,"time":0,"step":1,"values":{"\\ud800":1}}'
    assert not quick.add(Points(), "demo", line)
