"""Power: how many examples, or seeds, a difference needs to be seen."""

from __future__ import annotations

import math

POWER = 0.8  # how often a real difference is to be found


def needed(n: int, low: float, high: float, wished: float, confidence: float = 0.95) -> int | None:
    """How many examples show a difference of `wished` four times in five, where `n` gave the interval low to high.

    The interval says how far chance moves the difference of `n` examples; that shrinks with their root. By the normal
    approximation of Lehr's rule (1992), for a two-sided test at `confidence`. None where nothing is wished, or the
    interval has no width: then nothing is known of chance.
    """
    from scipy.special import ndtri

    z, more = float(ndtri((1 + confidence) / 2)), float(ndtri(POWER))
    error = (high - low) / (2 * z)
    if not math.isfinite(error) or error <= 0 or not math.isfinite(wished) or wished == 0:
        return None
    return math.ceil(n * ((z + more) * error / abs(wished)) ** 2)
