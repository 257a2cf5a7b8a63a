"""Answers to questions as SQuAD compares them (Rajpurkar and others 2016, arXiv:1606.05250)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.answers.texts import Texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ARTICLES = re.compile(r"\b(a|an|the)\b")
MARKS = str.maketrans("", "", string.punctuation)


def plain(text: str) -> list[str]:
    """The words of an answer in small letters, without punctuation and articles."""
    return ARTICLES.sub(" ", text.lower().translate(MARKS)).split()


def equal(gold: list[str], predicted: list[str]) -> float:
    """1 where both have the same words in the same order."""
    return float(gold == predicted)


def overlap(gold: list[str], predicted: list[str]) -> float:
    """F1 of the words; where either has none, 1 if both have none."""
    if not gold or not predicted:
        return float(gold == predicted)
    return 2 * (Counter(gold) & Counter(predicted)).total() / (len(gold) + len(predicted))


def best(answers: Texts, score: Callable[[list[str], list[str]], float]) -> npt.NDArray[np.float64]:
    """The score of each example against the right answer that it is nearest to."""
    import numpy as np

    pairs = zip(answers.gold, answers.predicted, strict=True)
    return np.array(
        [max(score(plain(gold), plain(said)) for gold in each or ("",)) for each, said in pairs], np.float64
    )
