"""Grams: words, and pairs of neighbours, that are in more wrong answers than chance puts there."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from runner.evaluate.holm import holm
from runner.parts.proxies._words import words

LEAST = 5  # texts that a gram is in: of fewer nothing could be told
MOST = 5000  # grams that are tested, those in the most texts


@dataclass(frozen=True)
class Gram:
    """A word or two, in `n` texts of which `wrong` were answered wrongly; `log_odds` above 0 is more than elsewhere.

    `p` is Fisher's exact chance of so many wrong ones or more, `p_holm` the same for all grams tested (Holm 1979).
    """

    gram: str
    n: int
    wrong: int
    log_odds: float
    p: float
    p_holm: float


def grams(texts: Sequence[str], wrong: Sequence[bool]) -> list[Gram]:
    """The grams that enough texts have, the least likely by chance first."""
    from scipy.stats import hypergeom

    seen: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for text, failed in zip(texts, wrong, strict=True):
        each = set(of(text))
        seen.update(each)
        missed.update(each if failed else ())
    total, bad = len(texts), sum(wrong)
    tested = sorted((gram for gram, n in seen.items() if LEAST <= n < total), key=lambda gram: (-seen[gram], gram))[
        :MOST
    ]
    if not tested or not 0 < bad < total:
        return []
    chances = hypergeom.sf([missed[each] - 1 for each in tested], total, bad, [seen[each] for each in tested]).tolist()
    found = [
        Gram(gram, seen[gram], missed[gram], log_odds(missed[gram], seen[gram], bad, total), p, adjusted)
        for gram, p, adjusted in zip(tested, chances, holm(chances), strict=True)
    ]
    return sorted(found, key=lambda each: (each.p, -each.log_odds, each.gram))


def of(text: str) -> Iterator[str]:
    """The grams of a text."""
    said = words(text)
    yield from said
    yield from map(" ".join, pairwise(said))


def log_odds(wrong: int, n: int, bad: int, total: int) -> float:
    """How much likelier an error is with the gram than without, each count with a half added (Haldane 1956)."""
    here, there = (wrong + 0.5) / (n - wrong + 0.5), (bad - wrong + 0.5) / (total - n - bad + wrong + 0.5)
    return math.log(here / there)
