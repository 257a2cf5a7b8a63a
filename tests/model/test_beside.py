"""Attention over packed batches one behind the other is that of each alone, with what its own source drops."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from runner.model.beside import beside
from runner.model.dropout import Source
from runner.model.packing import SHORT, Layout, arrange, attend

HEADS, WIDTH = 2, 3
lengths = st.lists(st.integers(1, 30) | st.sampled_from([SHORT, SHORT + 2, 64]), min_size=1, max_size=4)


def seeded(seed: int) -> Source:
    source = Source()
    source.reseed(seed)
    return source


def attended(sides: list[torch.Tensor], layout: Layout, dropout: float) -> torch.Tensor:
    found, _ = attend(nn.Module(), sides[0], sides[1], sides[2], None, dropout=dropout, packing=layout)
    return found


@settings(deadline=None, max_examples=40)
@given(sizes=st.lists(lengths, min_size=1, max_size=4), dropout=st.sampled_from([0.0, 0.4]), twice=st.booleans())
def test_rows_beside_each_other_know_nothing_of_each_other(sizes: list[list[int]], dropout: float, twice: bool) -> None:
    totals = [sum(each) for each in sizes]
    generator = torch.Generator().manual_seed(sum(totals))
    sides = [torch.randn(1, HEADS, sum(totals), WIDTH, generator=generator) for _ in range(3)]
    alone, layouts = [], []
    for place, each in enumerate(sizes):
        source = seeded(place)
        layout, _ = arrange(torch.tensor(each), source)
        own = [torch.split(side, totals, 2)[place] for side in sides]
        alone.append([attended(own, layout, dropout) for _ in range(1 + twice)])
        layouts.append(arrange(torch.tensor(each), seeded(place))[0])
    layout = beside(layouts)
    assert sum(band.longest <= SHORT for band in layout.bands) <= 1
    for time in range(1 + twice):
        together = attended(sides, layout, dropout)
        torch.testing.assert_close(together, torch.cat([each[time] for each in alone], 1), rtol=1e-5, atol=1e-6)
