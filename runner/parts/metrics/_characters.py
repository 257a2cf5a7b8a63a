"""Character n-grams as chrF counts them (Popović 2015, W15-3049), and as sacrebleu does by default."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from runner.answers.resamples import Numbers
from runner.answers.texts import Texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ORDERS = 6
BETA = 2


def counted(answers: Texts) -> npt.NDArray[np.float64]:
    """Of each example the n-grams of the answer, of the nearest right text, and of both: [examples, 3, orders]."""
    import numpy as np

    found = np.zeros((len(answers), 3, ORDERS))
    for row, (each, said) in enumerate(zip(answers.gold, answers.predicted, strict=True)):
        options = np.array([counts(gold, said) for gold in each or ("",)], np.float64)
        found[row] = options[int(chrf(options.reshape(len(options), -1)).argmax())]
    return found.reshape(len(answers), -1)


def counts(gold: str, said: str) -> list[list[int]]:
    """The same of one pair."""
    grams = [(grams_of(said, order), grams_of(gold, order)) for order in range(1, ORDERS + 1)]
    return [
        [own.total() if right else 0 for own, right in grams],  # as sacrebleu: too short a text asks for none
        [right.total() for _, right in grams],
        [(own & right).total() for own, right in grams],
    ]


def grams_of(text: str, order: int) -> Counter[str]:
    """How often each run of so many characters occurs, white space left out."""
    plain = "".join(text.split())
    return Counter(plain[start : start + order] for start in range(len(plain) - order + 1))


def chrf(sums: Numbers) -> Numbers:
    """The F-score of counts [samples, 3 * orders], over the orders that both sides have: shape [samples]."""
    import numpy as np

    own, right, both = np.moveaxis(sums.reshape(len(sums), 3, ORDERS), 1, 0)
    there = (own > 0) & (right > 0)
    orders = np.maximum(there.sum(1), 1)
    precision = (np.divide(both, own, out=np.zeros_like(both), where=there)).sum(1) / orders
    recall = (np.divide(both, right, out=np.zeros_like(both), where=there)).sum(1) / orders
    whole = BETA**2 * precision + recall
    score: Numbers = (1 + BETA**2) * precision * recall / np.where(whole > 0, whole, 1)
    return score
