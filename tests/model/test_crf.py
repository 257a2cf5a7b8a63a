"""A head with a CRF on the trunk: packed or padded, alone or beside other data, it says and learns the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from runner import kinds
from runner.model.network import Network, build
from runner.model.stream import Stream, together
from runner.plan.base import Base
from tests.model.tiny import LABELS, experiment, stream, without_dropout

TAGS = ("O", "B-A", "I-A", "B-B", "I-B")
LENGTHS = [5, 2, 9, 12, 3, 7]  # with a special token at either end: the second text has no word, the fifth one


@pytest.fixture(params=[True, False], ids=["packed", "padded"])
def net(request, encoder) -> Network:
    """Three heads, one of which judges tags in their order; scores of order are random."""
    fields = {"type": "token_classification", "data": ["news"], "crf": True}
    tasks = {**experiment().tasks, "tags": kinds.pick("tasks", "token_classification").model_validate(fields)}
    labels = {**LABELS, "tags": TAGS}
    found = build(Base("./encoder", encoder), experiment().model, tasks, labels, seed=1, packing=request.param)
    for name, each in found.heads["tags"].named_parameters(recurse=False):
        torch.nn.init.normal_(each, std=1.0 + len(name) % 2)
    found.part = tasks["tags"]
    return without_dropout(found)


def news() -> Stream:
    """Texts with a tag for each token but the first and the last."""
    found = stream(LENGTHS, name="news:text")
    rng = np.random.default_rng(3)
    rows = [
        np.concatenate([[-100], rng.integers(len(TAGS), size=each - 2) + len(TAGS) * np.arange(each - 2), [-100]])
        for each in LENGTHS
    ]
    return replace(found, targets={"tags": np.concatenate(rows).astype(np.int64)}, by_token=frozenset({"tags"}))


def judged(net, batch, row_lengths):
    """By text the sum of its losses, and what is said of it; the gradient of the order of tags."""
    output = net.outputs(batch, ("tags",))["tags"]
    losses = net.part.loss(output)
    sums = [float(each.detach().sum()) for each in losses.split([length - 2 for length in row_lengths])]
    (gradient,) = torch.autograd.grad(losses.sum(), net.heads["tags"].transitions)
    return sums, net.part.answer(output), gradient


def test_texts_together_are_as_each_alone(net):
    rows = range(len(LENGTHS))
    sums, said, gradient = judged(net, news().batch(rows, packed=net.packed, pad_id=0), LENGTHS)
    alone = [judged(net, news().batch([row], packed=net.packed, pad_id=0), LENGTHS[row : row + 1]) for row in rows]
    assert sums == pytest.approx([each[0][0] for each in alone], abs=1e-4)
    assert said == [each[1][0] for each in alone]
    torch.testing.assert_close(gradient, sum(each[2] for each in alone), atol=1e-4, rtol=1e-4)
    assert [len(words) for words, _ in said] == [length - 2 for length in LENGTHS] and sums[1] == 0.0


def test_rows_of_other_data_beside_them_change_nothing(net):
    rows = [4, 1, 3]
    lengths = [LENGTHS[row] for row in rows]
    own = judged(net, news().batch(rows, packed=net.packed, pad_id=0), lengths)
    pieces = [(stream([6, 4]), [1, 0]), (news(), rows)]
    for order in (pieces, pieces[::-1]):
        mixed = judged(net, together(order, packed=net.packed, pad_id=0, shares={}), lengths)
        assert mixed[0] == pytest.approx(own[0], abs=1e-4)
        assert mixed[1] == own[1]
        torch.testing.assert_close(mixed[2], own[2], atol=1e-4, rtol=1e-4)


def test_packed_and_padded_say_the_same(encoder, request):
    """The same weights by the same seed, laid out in both ways."""
    found = []
    for packing in (True, False):
        fields = {"type": "token_classification", "data": ["news"], "crf": True}
        part = kinds.pick("tasks", "token_classification").model_validate(fields)
        each = build(
            Base("./encoder", encoder), experiment().model, {"tags": part}, {"tags": TAGS}, seed=1, packing=packing
        )
        each.part = part
        torch.manual_seed(5)
        torch.nn.init.normal_(each.heads["tags"].transitions)
        batch = news().batch(range(len(LENGTHS)), packed=each.packed, pad_id=0)
        found.append(judged(without_dropout(each), batch, LENGTHS))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-4)
    assert found[0][1] == found[1][1]
    torch.testing.assert_close(found[0][2], found[1][2], atol=1e-4, rtol=1e-4)
