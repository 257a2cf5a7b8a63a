"""Numbers that say how even or how rich counts are."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, log2

import numpy as np

DRAWN = 42  # words of a sample for `hdd`, as in its source


def entropy(counts: Sequence[int]) -> float:
    """Shannon's entropy of a distribution in bits."""
    total = sum(counts)
    return -sum(count / total * log2(count / total) for count in sorted(counts) if count) + 0.0


def evenness(counts: Sequence[int], classes: int) -> float:
    """Entropy over that of so many equal classes: 1 when all are equally frequent, 0 when there is but one."""
    return min(1.0, entropy(counts) / log2(classes)) if classes > 1 else 0.0


def hdd(counts: np.ndarray) -> float | None:
    """The expected type-token ratio of 42 words drawn without replacement, given how often each word occurs.

    HD-D of McCarthy and Jarvis (2007, Language Testing 24, 459-488): unlike the type-token ratio it doesn't fall as
    texts grow. None for fewer words.
    """
    total = int(counts.sum())
    if total < DRAWN:
        return None
    frequencies, times = np.unique(counts, return_counts=True)
    drawn = np.arange(DRAWN)
    left = np.maximum(total - frequencies[:, None] - drawn, 0)
    missed = np.prod(left / (total - drawn), axis=1)
    return float((times * (1 - missed)).sum() / DRAWN)


def cramers_v(first: np.ndarray, second: np.ndarray) -> float | None:
    """How strongly two columns go together, from 0 (not at all) to 1 (one tells the other).

    Cramér's V with the correction of Bergsma (2013, doi:10.1016/j.jkss.2012.10.002), without which small groups seem to
    differ. A column has whole numbers from 0 on; None where one has a single value, or the rows are too few to say.
    """
    pairs, counts = np.unique(first.astype(np.int64) * (int(second.max()) + 1) + second, return_counts=True)
    rows, columns = (np.bincount(each) for each in (first, second))
    total, sizes = len(first), [len(np.flatnonzero(each)) for each in (rows, columns)]
    if min(sizes) < 2:
        return None
    of_row, of_column = np.divmod(pairs, len(columns))
    phi2 = fsum(counts / rows[of_row] * (counts / columns[of_column])) - 1  # chi-squared over the rows
    phi2 = max(0.0, phi2 - (sizes[0] - 1) * (sizes[1] - 1) / (total - 1))
    least = min(each - (each - 1) ** 2 / (total - 1) for each in sizes) - 1
    return min(1.0, (phi2 / least) ** 0.5) if least > 0 else None
