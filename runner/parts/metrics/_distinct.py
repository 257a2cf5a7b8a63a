"""Different n-grams among all of many texts (Li and others 2016, arXiv:1510.03055)."""

from __future__ import annotations

from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts


def distinct(resamples: Resamples[Texts], order: int) -> Numbers:
    """The share of n-grams of words that are different, of each sample; 0 where there are none."""
    import numpy as np

    grams = [grams_of(text.lower().split(), order) for text in resamples.answers.predicted]
    found = []
    for rows in resamples.rows.tolist():
        every = [gram for row in rows for gram in grams[row]]
        found.append(len(set(every)) / max(len(every), 1))
    return np.array(found)


def grams_of(words: list[str], order: int) -> list[tuple[str, ...]]:
    """Runs of so many words."""
    return [tuple(words[start : start + order]) for start in range(len(words) - order + 1)]
