"""The account: samples show what changed, those of the smallest ids, whatever the order."""

from hypothesis import given
from hypothesis import strategies as st

from runner.data.account import EXCERPT, Tally, excerpt, first_difference


@given(st.text(max_size=30), st.text(max_size=9), st.text(max_size=9))
def test_the_first_difference(shared, one, other):
    at = first_difference(shared + one, shared + other)
    assert (shared + one)[:at] == (shared + other)[:at]
    assert at >= len(shared)
    assert at == min(len(shared + one), len(shared + other)) or (shared + one)[at] != (shared + other)[at]


def test_a_sample_shows_the_place_of_the_change():
    tally = Tally("clean", "lowercase")
    tally.change("a", "x" * 500 + "Y" + "z" * 500, "x" * 500 + "y" + "z" * 500)
    (row,) = tally.samples["changed"]
    assert row["before"] == "…" + "x" * 20 + "Y" + "z" * 179 + "…"
    assert row["after"] == "…" + "x" * 20 + "y" + "z" * 179 + "…"


@given(st.permutations("abcdefg"))
def test_samples_are_those_of_the_smallest_ids(ids):
    tally = Tally("clean", "lowercase")
    for id in ids:
        tally.change(id, id.upper(), id)
    assert tally.changed == 7
    assert [row["id"] for row in tally.samples["changed"]] == ["a", "b", "c"]


def test_an_excerpt_says_where_it_is_cut():
    assert excerpt("short") == "short"
    assert excerpt("x" * EXCERPT) == "x" * EXCERPT
    assert excerpt("x" * 201) == "x" * 200 + "…"
