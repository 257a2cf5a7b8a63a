"""Wins: how often one side was preferred, with an interval, and how strong sides are by all their comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

NOTHING = float("nan")


class Wins(NamedTuple):
    """Judgements of two sides over `n` things: how often the first was better, worse or as good, and its win rate.

    The rate is the mean over things, where what is as good counts half; the interval is over things too.
    """

    better: int
    worse: int
    ties: int
    n: int
    rate: float
    low: float
    high: float


def wins(things: Sequence[Sequence[float]], confidence: float = 0.95) -> Wins:
    """Of what reviewers said of each thing, 1 better, 0.5 as good, 0 worse; NaN without any. Wilson's interval (1927).

    Several reviewers of one thing don't make it several: what they say of it is averaged.
    """
    from scipy.special import ndtri

    things = [each for each in things if each]
    better, worse, ties = (sum(each.count(value) for each in map(list, things)) for value in (1, 0, 0.5))
    n = len(things)
    if not n:
        return Wins(better, worse, ties, n, NOTHING, NOTHING, NOTHING)
    rate, z = fmean(fmean(each) for each in things), float(ndtri((1 + confidence) / 2))
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(max(rate * (1 - rate), 0.0) / n + z**2 / (4 * n**2))
    return Wins(better, worse, ties, n, rate, max(middle - half, 0.0), min(middle + half, 1.0))


def strengths(compared: Mapping[tuple[str, str], Wins], prior: float = 0.1) -> dict[str, float]:
    """The log-strength of each side, mean 0: one beats another with odds of the exponential of their difference.

    Of a model by Bradley and Terry (1952), fitted with choix; a tie is half a win of each. `prior` comparisons that
    nobody made keep a side that never lost from being infinitely strong.
    """
    import choix

    sides = sorted({side for pair in compared for side in pair})
    place = {side: at for at, side in enumerate(sides)}
    if len(sides) < 2:
        return dict.fromkeys(sides, 0.0)
    won: list[tuple[int, int]] = []
    for (first, second), found in compared.items():
        pair = place[first], place[second]
        won += [pair] * (2 * found.better + found.ties) + [pair[::-1]] * (2 * found.worse + found.ties)
    fitted = choix.ilsr_pairwise(len(sides), won, alpha=2 * prior)
    return {side: float(fitted[at] - fitted.mean()) for side, at in place.items()}
