"""Streams: rows of an encoded table, whatever its chunks, and their order in evaluation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.network import Network
from runner.model.stream import stream, together
from tests.model.tiny import LABELS, network
from tests.model.tiny import stream as random_stream


def table() -> pa.Table:
    return pa.table(
        {
            "id": ["a", "b", "c", "d"],
            "input_ids": pa.array([[2, 5, 3], [2, 3], [2, 6, 7, 3], [2, 8, 3]], pa.list_(pa.int32())),
            "pair": pa.array([3, 2, 2, 3], pa.int32()),
        }
    )


SHAPES = {
    "one chunk": lambda: table(),
    "three chunks": lambda: pa.concat_tables([table()[:1], table()[1:3], table()[3:]]),
    "a slice": lambda: pa.concat_tables([table(), table()]).combine_chunks()[4:],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_are_those_of_the_table_whatever_its_chunks(shape):
    found = stream("films", SHAPES[shape](), {"mood": np.array([0, 1, 1, 0])})
    assert (len(found), found.tasks, found.lengths.tolist()) == (4, ("mood",), [3, 2, 4, 3])
    batch = found.batch([2, 0], packed=True, pad_id=0, shares={"mood": 0.5})
    assert batch.input_ids.tolist() == [[2, 6, 7, 3, 2, 5, 3]]
    assert batch.type_ids.tolist() == [[0, 0, 1, 1, 0, 0, 0]]
    assert batch.targets["mood"].tolist() == [1, 0]
    assert (batch.stream, batch.rows, batch.shares) == ("films", (2, 0), {"mood": 0.5})
    assert found.ids.take(np.array([3, 1])).to_pylist() == ["d", "b"]


def test_a_table_of_one_chunk_is_read_where_it_lies():
    whole = table()
    assert np.shares_memory(stream("films", whole, {}).tokens, whole["input_ids"].chunk(0).values.to_numpy())


def test_by_length_literal():
    assert stream("films", table(), {}).by_length(3) == [[1, 0, 3], [2]]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=50), st.integers(1, 12))
@settings(deadline=None, max_examples=50)
def test_evaluation_sees_every_row_once_shortest_first(lengths, batch_size):
    batches = random_stream(lengths).by_length(batch_size)
    flat = [row for each in batches for row in each]
    assert sorted(flat) == list(range(len(lengths)))
    assert [lengths[row] for row in flat] == sorted(lengths)
    assert all(len(each) == batch_size for each in batches[:-1]) and len(batches[-1]) <= batch_size


@pytest.mark.parametrize("packed", [True, False])
def test_rows_of_several_streams_get_the_answers_that_they_get_alone(encoder, packed):
    """`mood` on both streams, `size` on the second alone, `words` looks at tokens of the first."""
    rng = np.random.default_rng(5)
    first, second = random_stream([4, 7, 3], name="a", seed=1), random_stream([5, 2], name="b", seed=2)
    tags = rng.integers(-1, 2, 14)
    first = replace(first, targets={"mood": first.targets["mood"], "words": tags}, by_token=frozenset(["words"]))
    labels = {**LABELS, "words": ("o", "x")}
    net = replace_tokens(network(encoder, labels, packing=packed), "words").eval()
    pieces = [(first, (2, 0, 1)), (second, (1, 0))]
    whole = together(pieces, packed=packed, pad_id=0, shares={})
    each = [one.batch(rows, packed=packed, pad_id=0) for one, rows in pieces]
    assert len(whole) == 5 and whole.rows == (2, 0, 1, 1, 0)
    with torch.no_grad():
        found = net(whole, tuple(whole.targets))
        alone = [net(batch, tuple(batch.targets)) for batch in each]
    expected = {
        "mood": torch.cat([alone[0]["mood"], alone[1]["mood"]]),
        "words": alone[0]["words"],
        "size": alone[1]["size"],
    }
    assert found.keys() == expected.keys()
    for task, logits in found.items():
        torch.testing.assert_close(logits, expected[task], atol=1e-5, rtol=1e-4)
        assert len(logits) == len(whole.targets[task])
    assert whole.targets["size"].tolist() == each[1].targets["size"].tolist()
    assert whole.targets["words"].tolist() == each[0].targets["words"].tolist()
    assert whole.targets["mood"].tolist() == [*each[0].targets["mood"].tolist(), *each[1].targets["mood"].tolist()]


def replace_tokens(net: Network, task: str) -> Network:
    """The same network, in which a task looks at tokens."""
    net.levels = {**net.levels, task: "token"}
    return net
