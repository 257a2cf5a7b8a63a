"""Neighbours: the training rows whose words are most like those of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

FEATURES = 100_000


class Neighbour(NamedTuple):
    """A place among the training texts, and the cosine of its TF-IDF weights with the text's."""

    place: int
    similarity: float


def neighbours(texts: Sequence[str], train: Sequence[str], most: int) -> list[list[Neighbour]]:
    """Of each text the most similar training texts, the nearest first; those without a common word are left out."""
    if not texts:
        return []
    from sklearn.feature_extraction.text import TfidfVectorizer

    weigh = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=FEATURES, dtype=np.float32)
    try:
        known = weigh.fit_transform(train)
    except ValueError:  # no text has a word
        return [[] for _ in texts]
    found = []
    for row in weigh.transform(texts):
        near = (known @ row.T).toarray().ravel()
        order = np.argsort(-near, kind="stable")[:most]
        found.append([Neighbour(int(at), float(near[at])) for at in order if near[at] > 0])
    return found
