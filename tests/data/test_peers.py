"""Known contents and rows with the same labels: what a set, and a dict of sorted lists, would say."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.data.known import Known
from runner.data.peers import Classes, Peers, grouped
from runner.parts.cleaners._order import by_id

laws = settings(max_examples=100, deadline=None)
NUMBERS = st.lists(st.integers(0, 40) | st.integers(2**64 - 3, 2**64 - 1), max_size=30)
ROWS = st.dictionaries(st.text(max_size=4), st.sampled_from(["x", "y", "z"]), min_size=1, max_size=30)


def numbers(values):
    return np.array(values, np.uint64)


@given(st.lists(NUMBERS, max_size=2), st.lists(NUMBERS, max_size=12))
@laws
def test_known_is_a_set(before, rounds):
    known = Known(map(numbers, before))
    seen = {value for values in before for value in values}
    for values in rounds:
        fresh = [place for place, value in enumerate(values) if value not in seen and value not in values[:place]]
        assert known.fresh(numbers(values)).tolist() == fresh
        seen.update(values)
    assert all(map(len, known.parts[1:]))
    assert all(len(one) >= 2 * len(other) for one, other in pairwise(known.parts))


@given(ROWS, st.integers(1, 7))
@laws
def test_classes_are_sorted_lists(rows, size):
    whole = pa.table({"id": pa.array(list(rows), pa.string()), "label": pa.array(list(rows.values()), pa.string())})
    table = pa.Table.from_batches(whole.to_batches(max_chunksize=size), whole.schema)
    order = by_id(table)
    ids = list(rows)
    assert [ids[row] for row in order] == sorted(ids)
    with TemporaryDirectory() as folder:
        grouped(table, ["label"], order, Path(folder))
        found = list(Classes(Path(folder)).of(np.arange(len(ids))))
    for (id, label), (group, own) in zip(rows.items(), found, strict=True):
        assert [ids[row] for row in group] == sorted(each for each in rows if rows[each] == label)
        assert ids[group[own]] == id
        assert list(Peers(table["id"], group, own)) == sorted(
            each for each in rows if rows[each] == label and each != id
        )
