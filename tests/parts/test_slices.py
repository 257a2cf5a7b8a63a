"""Laws of slices: they are the table, none has too many rows or bytes, and one row always fits."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.data.tables import alone
from runner.parts import slices as slicing
from runner.parts.slices import batches, cuts, sizes, slices

laws = settings(max_examples=60, deadline=None)
TEXTS = st.lists(st.none() | st.text(max_size=30), max_size=40)


@pytest.fixture(scope="module", autouse=True)
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slicing, "BYTES", 50)
        yield


def table_of(texts, size):
    rows = pa.table({"text": pa.array(texts, pa.string()), "row": range(len(texts))})
    return pa.Table.from_batches(rows.to_batches(max_chunksize=size), rows.schema)


def weight(text):
    return len((text or "").encode())


@given(TEXTS, st.integers(1, 9), st.integers(1, 12))
@laws
@pytest.mark.parametrize("sliced", [slices, batches])
def test_slices_are_the_table(sliced, texts, size, rows):
    table = table_of(texts, size)
    parts = list(sliced(table, rows))
    assert [row for part in parts for row in part.to_pylist()] == table.to_pylist()
    for part in parts:
        assert 1 <= part.num_rows <= rows
        assert part.num_rows == 1 or int(sizes(part).sum()) <= 50


@given(st.lists(st.integers(0, 90), max_size=40), st.integers(1, 12))
@laws
def test_no_slice_could_take_one_row_more(each, rows):
    found = list(cuts(np.array(each, np.int32), rows))
    assert [row for cut in found for row in range(cut.start, cut.stop)] == list(range(len(each)))
    for cut, following in pairwise(found):
        assert cut.stop % rows == 0 or sum(each[cut.start : following.start + 1]) > 50


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
@given(TEXTS, st.integers(0, 5))
@laws
def test_the_bytes_of_texts(kind, texts, start):
    table = pa.table({"text": pa.array(texts, pa.string()).cast(kind)}).slice(start)
    assert sizes(table).tolist() == [weight(text) for text in texts[start:]]


def test_the_bytes_of_nested_values():
    rows = [{"w": ["ab", "cdef"], "s": {"a": "xyz", "n": 1}}, {"w": [], "s": {"a": "", "n": 2}}, {"w": None, "s": None}]
    table = pa.Table.from_pylist(rows * 2)
    assert sizes(table.select(["w"])).tolist() == [6, 0, 0] * 2
    assert sizes(table.select(["w"]).slice(1, 3)).tolist() == [0, 0, 6]
    deep, flat = sizes(table.select(["s"])).tolist(), sizes(pa.table({"n": [1, 2, 3]})).tolist()
    assert flat == [8, 8, 8]
    assert deep[0] - deep[1] == 3 and deep[1] >= 8


def test_what_is_larger_than_a_number_counts_as_the_largest():
    huge = pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array(["x"]))
    table = pa.table({str(place): huge for place in range(3)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slicing, "widths", lambda values: np.full(len(values), 2**31 - 2))
        assert sizes(table).tolist() == [2**31 - 1] * 2
        assert [cut.stop for cut in cuts(sizes(table))] == [1, 2]


def test_a_slice_alone_takes_no_other_rows_along():
    table = pa.table({"text": ["x" * 1000] * 1000, "label": pa.array(["y"] * 1000).dictionary_encode()})
    part = alone(table.slice(500, 2))
    assert part == table.slice(500, 2)
    assert len(pickle.dumps(part)) < 5_000
