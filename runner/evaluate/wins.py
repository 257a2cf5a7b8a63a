"""Wins: how often one side was preferred, with an interval, and how strong sides are by all their comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

NOTHING = float("nan")


class Wins(NamedTuple):
    """How often the first of two sides was better, worse or as good; `rate` counts what is as good as half a win."""

    better: int
    worse: int
    ties: int
    rate: float
    low: float
    high: float

    @property
    def n(self) -> int:
        """How many comparisons there were."""
        return self.better + self.worse + self.ties


def wins(better: int, worse: int, ties: int, confidence: float = 0.95) -> Wins:
    """The rate and its score interval (Wilson 1927); NaN without any comparison."""
    from scipy.special import ndtri

    n = better + worse + ties
    if not n:
        return Wins(better, worse, ties, NOTHING, NOTHING, NOTHING)
    rate, z = (better + ties / 2) / n, float(ndtri((1 + confidence) / 2))
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return Wins(better, worse, ties, rate, max(middle - half, 0.0), min(middle + half, 1.0))


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
