"""Batches: where each token goes, with and without padding."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.batch import Batch, build, layout

TEXTS = [np.array([2, 7, 3]), np.array([2, 9, 8, 3, 6, 3]), np.array([2])]
PAIRS = [3, 4, 1]  # only the second sequence has a second text: it begins at token 4
texts = st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=12), min_size=1, max_size=8)


def made(packed: bool) -> Batch:
    targets = {"mood": np.array([1, 0, 1])}
    return build("films", [4, 0, 9], TEXTS, PAIRS, targets, packed=packed, pad_id=50, shares={"mood": 0.75})


def test_packed_literal():
    batch = made(packed=True)
    assert batch.input_ids.tolist() == [[2, 7, 3, 2, 9, 8, 3, 6, 3, 2]]
    assert batch.type_ids.tolist() == [[0, 0, 0, 0, 0, 0, 0, 1, 1, 0]]
    assert batch.lengths.tolist() == [3, 6, 1]


def test_padded_literal():
    batch = made(packed=False)
    assert batch.input_ids.tolist() == [[2, 7, 3, 50, 50, 50], [2, 9, 8, 3, 6, 3], [2, 50, 50, 50, 50, 50]]
    assert batch.type_ids.tolist() == [[0] * 6, [0, 0, 0, 0, 1, 1], [0] * 6]
    assert batch.lengths.tolist() == [3, 6, 1]


def test_a_batch_keeps_its_stream_rows_targets_and_shares():
    batch = made(packed=True)
    assert (batch.stream, batch.rows, batch.packed, len(batch)) == ("films", (4, 0, 9), True, 3)
    assert batch.shares == {"mood": 0.75}
    assert batch.targets["mood"].tolist() == [1, 0, 1] and batch.targets["mood"].dtype == torch.int64


def test_layout_literal():
    assert layout(np.array([2, 3, 1]), packed=True).tolist() == [0, 1, 2, 3, 4, 5]
    assert layout(np.array([2, 3, 1]), packed=False).tolist() == [0, 1, 3, 4, 5, 6]


def test_moving_to_another_device_moves_every_tensor():
    moved = made(packed=True).to(torch.device("meta"))
    tensors = [moved.input_ids, moved.type_ids, moved.lengths, *moved.targets.values()]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert (moved.rows, moved.shares, moved.packed) == ((4, 0, 9), {"mood": 0.75}, True)


@given(texts, st.data())
@settings(deadline=None, max_examples=50)
def test_packed_and_padded_hold_the_same_tokens(lists, data):
    arrays = [np.array(each) for each in lists]
    pairs = [data.draw(st.integers(1, len(each))) for each in lists]
    packed, padded = (build("s", range(len(lists)), arrays, pairs, {}, packed=p, pad_id=0) for p in (True, False))
    real = torch.arange(padded.input_ids.shape[1]) < padded.lengths[:, None]
    assert packed.input_ids[0].tolist() == [token for each in lists for token in each]
    assert torch.equal(padded.input_ids[real], packed.input_ids[0])
    assert torch.equal(padded.type_ids[real], packed.type_ids[0])
    assert not padded.input_ids[~real].any() and not padded.type_ids[~real].any()
    assert int(packed.type_ids.sum()) == sum(len(each) - pair for each, pair in zip(lists, pairs, strict=True))
