"""Dropout: masks that follow from words alone, with the right share of zeros."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from runner.model.dropout import Dropout, Source, drop, replace, seed_step

COUNT = 100_003  # no multiple of four, so the last drawn word is used in part
words = st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3)
laws = settings(deadline=None, max_examples=30)


def mask(given_words: list[int], p: float = 0.5, count: int = 257) -> torch.Tensor:
    source = Source()
    source.reseed(*given_words)
    return source.keep(torch.Size([count]), p)


@given(words)
@laws
def test_the_same_words_give_the_same_masks(given_words):
    assert torch.equal(mask(given_words), mask(given_words))


@given(words, words)
@laws
def test_other_words_give_other_masks(first, second):
    assume(first != second)
    assert not torch.equal(mask(first), mask(second))


def test_two_layers_of_one_step_drop_other_elements():
    source = Source()
    first, second = (source.keep(torch.Size([257]), 0.5) for _ in range(2))
    assert not torch.equal(first, second)


@given(st.floats(0.01, 0.9), st.integers(0, 2**32 - 1))
@laws
def test_the_share_of_zeros_is_p_and_the_mean_is_kept(p, seed):
    found = mask([seed], p, COUNT)
    sigma = math.sqrt(p * (1 - p) / COUNT)
    assert abs(float((found == 0).double().mean()) - p) < 6 * sigma + 1 / 65536
    assert abs(float(found.double().mean()) - 1) < 6 * math.sqrt(p / (1 - p) / COUNT) + 1e-4


def test_an_element_is_zero_or_scaled_up():
    assert sorted(set(mask([3], 0.25).tolist())) == pytest.approx([0.0, 4 / 3])
    assert set(mask([3], 0.5).tolist()) == {0.0, 2.0}


def test_the_largest_probability_a_spec_may_write_gives_finite_numbers():
    assert torch.isfinite(mask([0], 0.999999)).all()


def test_evaluation_and_zero_probability_change_nothing():
    x = torch.randn(4, 5)
    assert Dropout(0.5, Source()).eval()(x) is x
    assert drop(x, 0.0, Source()) is x
    assert not torch.equal(Dropout(0.5, Source()).train()(x), x)


def test_the_gradient_flows_where_the_output_does():
    x = torch.ones(64, requires_grad=True)
    out = drop(x, 0.5, Source())
    out.sum().backward()
    assert torch.equal(x.grad, out.detach())


def test_the_mask_takes_the_type_of_its_input():
    assert drop(torch.ones(8, dtype=torch.bfloat16), 0.5, Source()).dtype == torch.bfloat16


def test_replace_swaps_every_dropout_however_deep():
    inner = nn.ModuleDict({"deep": nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.3))})
    module, source = nn.Sequential(nn.Dropout(0.1), inner, nn.ModuleList([nn.Dropout(0.0)])), Source()
    replace(module, source)
    swapped = [each for each in module.modules() if isinstance(each, Dropout)]
    assert not [each for each in module.modules() if isinstance(each, nn.Dropout)]
    assert [each.p for each in swapped] == [0.1, 0.3, 0.0]
    assert all(each.source is source for each in swapped)


def test_a_step_fixes_the_randomness_of_torch_too():
    source, drawn = Source(), []
    for given_words in ((1, 2, 3), (1, 2, 3), (1, 2, 4)):
        seed_step(source, *given_words)
        drawn.append((source.keep(torch.Size([64]), 0.5).tolist(), torch.rand(8).tolist()))
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != drawn[2][0] and drawn[0][1] != drawn[2][1]
