"""Work on many rows goes block by block: how large a block is changes nothing that is found."""

import random
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.data.balance import fewer, repeated, sampled
from runner.data.identify import classes, contents, keys, repeats
from runner.parts.cleaners import _buckets, _contents, _entries, _order, _twins
from runner.parts.cleaners._contents import distinct
from runner.parts.cleaners._order import by_id
from runner.parts.cleaners._shingles import Shingles
from runner.parts.cleaners._twins import alike, side
from runner.parts.cleaners._twins import repeats as twins

BLOCK = st.integers(1, 6)
TEXTS = st.lists(st.lists(st.sampled_from(["a", "bc", "def", "g h"]), max_size=4).map("".join), max_size=30)
law = settings(max_examples=50, deadline=None)


@contextmanager
def blocks_of(rows):
    """At most so many rows at once."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (_buckets, _contents, _entries, _order, _twins):
            patch.setattr(module, "MANY", rows)
        patch.setattr(_buckets, "SMALL", rows)
        yield


def table_of(texts):
    """Texts under ids in no order."""
    numbers = random.Random(1).sample(range(1_000_000), len(texts))
    rows = {"id": [f"row {number}" for number in numbers], "text": texts}
    return pa.table(rows, pa.schema([(name, pa.string()) for name in rows]))


@law
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), max_size=30), st.data(), BLOCK)
def test_the_first_of_each_content(halves, data, rows):
    digests = np.array([(key << 32 | low, last) for key, low, last in halves], np.uint64).reshape(-1, 2)
    order = data.draw(st.permutations(range(len(halves))))[: data.draw(st.integers(0, len(halves)))]
    with blocks_of(rows):
        firsts, group = distinct(digests, np.array(order, np.int32))
    known = {}
    for position in order:
        known.setdefault(halves[position], position)
    assert firsts.tolist() == list(known.values())
    places = {content: place for place, content in enumerate(known)}
    assert group.tolist() == [places[content] if position in order else -1 for position, content in enumerate(halves)]


@law
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), max_size=30), BLOCK)
def test_repeats_count_earlier_equals(rows, many):
    values = [high << 32 | low for high, low, _ in rows]
    then = [last for _, _, last in rows]
    with blocks_of(many):
        found = repeats(np.array(values, np.uint64), np.array(then, np.uint64))
    ordered = sorted(range(len(rows)), key=lambda row: (then[row], row))
    before = [
        [other for other in ordered[: ordered.index(row)] if values[other] == values[row]] for row in range(len(rows))
    ]
    assert found.tolist() == list(map(len, before))


@law
@given(st.lists(st.text("ab\0é", max_size=12), unique=True, max_size=30), BLOCK)
def test_rows_in_the_order_of_their_ids(ids, rows):
    with blocks_of(rows):
        order = by_id(pa.table({"id": pa.array(ids, pa.string())}))
    assert [ids[row] for row in order.tolist()] == sorted(ids)


@law
@given(TEXTS, BLOCK)
def test_twins_are_the_same_however_many_rows_are_looked_at_together(texts, rows):
    def found():
        with TemporaryDirectory() as folder:
            given = table_of(texts[::2]), table_of(texts[1::2])
            sides = [side(table, ["text"], Path(folder, str(at)), 0.5, Shingles(), 1) for at, table in enumerate(given)]
            across = list(alike(*sides, ["text"], Shingles(), 0.5).each())
            return across, list(twins(table_of(texts), ["text"], Path(folder), threshold=0.5, workers=1).each())

    whole = found()
    with blocks_of(rows):
        assert found() == whole


@law
@given(st.lists(st.sampled_from("xyz"), min_size=1, max_size=30), st.integers(1, 30), BLOCK)
def test_balanced_rows_are_those_of_smallest_hash(labels, count, rows):
    table = pa.table({"id": [f"id {row}" for row in range(len(labels))], "label": labels})
    order = np.argsort(keys(table["id"], b"sample:"))
    groups = [[row for row in order.tolist() if labels[row] == label] for label in set(labels)]
    groups.sort(key=lambda group: int(contents(table.take(group[:1]), ["label"])[0]))
    every = np.arange(len(labels), dtype=np.int32)
    with blocks_of(rows):
        numbers = classes(table, ["label"])
        assert [sorted(np.flatnonzero(numbers == place).tolist()) for place in range(len(groups))] == [
            sorted(group) for group in groups
        ]
        some = sorted(row for group in groups for row in group[:count])
        assert fewer(every, numbers, order, count).tolist() == some
        most = max(map(len, groups))
        again, number = repeated(every, numbers, order, most)
        assert list(zip(again.tolist(), number.tolist(), strict=True)) == [
            (group[place % len(group)], place // len(group)) for group in groups for place in range(len(group), most)
        ]
        chosen = sampled(table["id"], numbers, min(count, len(labels)))
    ranks = {row: (rank + 0.5) / len(group) for group in groups for rank, row in enumerate(group)}
    first = sorted(order.tolist(), key=ranks.__getitem__)[: min(count, len(labels))]
    assert chosen.tolist() == sorted(first)


def held(work, rows):
    """The most bytes a row that numpy and Python hold meanwhile, beyond what they held before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / rows
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("word", ["{:016x}", "row {:09}"])
def test_few_bytes_of_a_row_are_held_together(word, copies):
    rows = 60_000
    draw = np.random.RandomState(1)
    numbers = draw.permutation(rows) if word.startswith("row") else draw.randint(0, 2**62, rows)
    ids = pa.table({"id": [word.format(number) for number in numbers.tolist()]})
    ids = pa.Table.from_batches(ids.to_batches(max_chunksize=1_000))
    values = np.ones((rows, 2), np.uint64) if copies else draw.randint(0, 2**62, (rows, 2)).astype(np.uint64)
    labels, every = draw.randint(0, 3, rows).astype(np.int32), np.arange(rows, dtype=np.int32)
    with blocks_of(1_000):
        assert held(lambda: by_id(ids), rows) < 30
        order = by_id(ids)
        assert held(lambda: distinct(values, order), rows) < 30
        assert held(lambda: fewer(every, labels, order, rows // 9), rows) < 30
        assert held(lambda: sampled(ids["id"], labels, 0.5), rows) < 40
        if not copies:
            assert held(lambda: repeats(values[:, 0]), rows) < 30


def test_few_bytes_of_a_row_are_held_while_leaks_are_looked_for(tmp_path):
    rows = 60_000
    draw = np.random.RandomState(2)
    texts = [f"{one:016x} {other:016x}" for one, other in draw.randint(0, 2**62, (rows, 2)).tolist()]
    texts[: rows // 20] = texts[-(rows // 20) :]
    table = table_of(texts)
    sides = [
        side(part, ["text"], tmp_path / str(at), 0.8, Shingles(), 1)
        for at, part in enumerate([table.slice(0, rows // 10), table.slice(rows // 10)])
    ]
    with blocks_of(1_000):
        found = alike(*sides, ["text"], Shingles(), 0.8)
        assert len(found.positions) == rows // 20
        assert held(lambda: alike(*sides, ["text"], Shingles(), 0.8), rows) < 45
