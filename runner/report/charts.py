"""Where the shapes of a chart stand, in percent of its width and height; templates draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import Any, NamedTuple

from runner.report.bars import span

LABELS = 7  # of an axis, about
COLOURS = 9  # classes with a colour of their own; the others share a grey

Profiles = Mapping[str, Mapping[str, Any]]


class Bar(NamedTuple):
    """A bar from the left edge `x`, and what it stands for."""

    x: float
    width: float
    height: float
    said: str


class Histogram(NamedTuple):
    """Bars of one split; `summary` says in a sentence what they show."""

    split: str
    bars: Sequence[Bar]
    ticks: Sequence[tuple[float, str]]
    summary: str


class Curve(NamedTuple):
    """A line of one split, as points in a box of 100 by 100, and what it shows."""

    split: str
    points: str
    summary: str


class Ranks(NamedTuple):
    """Lines over a logarithmic scale from the `lowest` share to the `highest`."""

    lines: Sequence[Curve]
    lowest: float
    highest: float


class Segment(NamedTuple):
    """A part of a bar that stands for a whole; `colour` counts from 0, the last is that of all others."""

    x: float
    width: float
    colour: int
    said: str


def histograms(profiles: Profiles, unit: str) -> list[Histogram]:
    """How long the texts of each split are, over the same bins and with the same scale."""
    lengths = {split: each["lengths"][unit] for split, each in profiles.items()}
    bins = sorted({(least, most) for each in lengths.values() for least, most, _ in each["histogram"]})
    shares = {
        split: {(least, most): count / profiles[split]["rows"] for least, most, count in each["histogram"]}
        for split, each in lengths.items()
    }
    highest = max(max(each.values()) for each in shares.values())
    width = 100 / len(bins)
    every = -(-len(bins) // LABELS)
    ticks = [(width * place, f"{least:,}") for place, (least, _) in enumerate(bins) if place % every == 0]
    made = []
    for split, each in lengths.items():
        bars = [
            Bar(
                width * place,
                width,
                100 * share / highest,
                f"{span(*found)} {unit if found[1] > 1 else unit[:-1]}: {share:.1%}",
            )
            for place, found in enumerate(bins)
            if (share := shares[split].get(found, 0))
        ]
        said = f"{split}: half of the texts have at most {each['p50']:,.0f} {unit}, 95 % at most {each['p95']:,.0f}"
        made.append(Histogram(split, bars, ticks, f"{said}, the longest {each['max']:,}."))
    return made


def ranks(profiles: Profiles, target: str) -> Ranks:
    """The share of each class of a split, classes by rank: how steeply frequency falls."""
    counts = {split: list(each["classes"][target]["rows"].values()) for split, each in profiles.items()}
    shares = {split: [count / sum(each) for count in each] for split, each in counts.items()}
    width = 100 / max(map(len, counts.values()))
    lowest, highest = min(map(min, shares.values())), max(map(max, shares.values()))
    scale = log(highest / lowest) or 1.0
    lines = []
    for split, each in counts.items():
        tops = [100 - 100 * log(share / lowest) / scale for share in shares[split]]
        steps = [f"{width * (place + side):.2f},{top:.2f}" for place, top in enumerate(tops) for side in (0, 1)]
        said = f"{split}: {len(each):,} classes, the most frequent {each[0]:,} rows, the least frequent {each[-1]:,}."
        lines.append(Curve(split, " ".join(steps), said))
    return Ranks(lines, lowest, highest)


def legend(profile: Mapping[str, Any], target: str) -> list[str]:
    """The classes with a colour of their own: the most frequent of a split, the same in the bars of all splits."""
    names = list(profile["classes"][target]["rows"])
    return names if len(names) <= COLOURS + 1 else names[:COLOURS]


def stacked(counts: Mapping[str, int], coloured: Sequence[str]) -> list[Segment]:
    """The classes of a group side by side, in the order of the legend, then all others together."""
    total = sum(counts.values())
    parts = [(name, counts.get(name, 0)) for name in coloured]
    rest = total - sum(count for _, count in parts)
    segments, at = [], 0.0
    for colour, (name, count) in enumerate([*parts, ("all others", rest)]):
        if count:
            place = COLOURS + 1 if (name, colour) == ("all others", len(parts)) else colour
            segments.append(Segment(at, 100 * count / total, place, f"{name}: {count:,} ({count / total:.1%})"))
            at += 100 * count / total
    return segments
