"""Beside: packed batches of several networks one behind the other, as one batch.

Attention treats each row alone, so the rows of short texts of all batches become one band: they cost calls rather than
work. What is dropped in a row is still drawn by the source of its own network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F

from runner.model.dropout import Source
from runner.model.packing import SHORT, Band, Layout


def beside(layouts: Sequence[Layout]) -> Layout:
    """The layout of packed batches one behind the other."""
    bands: list[Band] = []
    scatters = []
    tokens = places = 0
    for each in layouts:
        bands += [replace(band, gather=band.gather + tokens) for band in each.bands]
        scatters.append(each.scatter + places)
        tokens, places = tokens + len(each.scatter), places + each.places
    return merged(bands, torch.cat(scatters))


def merged(bands: Sequence[Band], scatter: torch.Tensor) -> Layout:
    """The same layout with all bands of short texts in one, the last."""
    short = [band for band in bands if band.longest <= SHORT]
    others = [band for band in bands if band.longest > SHORT]
    longest = max((band.longest for band in short), default=0)
    moved, row = {}, 0  # where the places of each band are now
    start = sum(len(band.gather) for band in others)
    for band in short:
        rows = torch.arange(row, row + band.examples, device=band.gather.device)[:, None]
        moved[id(band)] = (start + rows * longest + torch.arange(band.longest, device=rows.device)).reshape(-1)
        row += band.examples
    at = 0
    for band in others:
        moved[id(band)] = torch.arange(at, at + len(band.gather), device=band.gather.device)
        at += len(band.gather)
    there = torch.cat([moved[id(band)] for band in bands])[scatter]
    return Layout((*others, *([united(short, longest)] if short else [])), there)


def united(bands: Sequence[Band], longest: int) -> Band:
    """Bands as one whose rows are as long as the longest; what is added to a row stands for its last token, unseen."""
    gathers, biases = [], []
    for band in bands:
        more = longest - band.longest
        rows = band.gather.view(band.examples, band.longest)
        gathers.append(torch.cat([rows, rows[:, -1:].expand(-1, more)], 1).reshape(-1))
        biases.append(F.pad(band.bias, (0, more), value=float("-inf")))
    examples = sum(band.examples for band in bands)
    return Band(torch.cat(gathers), examples, longest, torch.cat(biases), Owners(bands))


class Owners(Source):
    """Masks of attention [examples, heads, longest, longest] in a band of several, each drawn by its own source."""

    def __init__(self, bands: Sequence[Band]) -> None:
        self.bands = bands

    def keep(self, shape: torch.Size, p: float) -> torch.Tensor:
        whole, row = torch.zeros(shape), 0
        for band in self.bands:
            own = band.source.keep(torch.Size((band.examples, shape[1], band.longest, band.longest)), p)
            whole[row : row + band.examples, :, : band.longest, : band.longest] = own
            row += band.examples
        return whole
