"""Answers made by hand, and answers of any shape for laws."""

import numpy as np
from hypothesis import strategies as st

from runner import kinds
from runner.answers.choices import Choices

LETTERS = "abcdefgh"


def of_choices():
    """The metrics that score single labels."""
    return tuple(name for name in kinds.names("metrics") if issubclass(Choices, kinds.pick("metrics", name).reads))


def made(gold, predicted, labels="", probabilities=None, task="mood", split="test"):
    """Answers with one letter a label; without probabilities the predicted label gets all."""
    gold, predicted = np.array(gold, dtype=np.int64), np.array(predicted, dtype=np.int64)
    labels = tuple(labels or LETTERS[: 1 + max([1, *gold, *predicted])])
    sure = np.eye(len(labels))[predicted]
    given = sure if probabilities is None else np.array(probabilities, dtype=np.float64)
    return Choices(task, split, labels, tuple(map(str, range(len(gold)))), gold, predicted, given)


def unsure(predicted, count, seed):
    """Random probabilities whose greatest is that of the predicted label."""
    raw = np.random.default_rng(seed).random((len(predicted), count)) + 0.01
    raw[np.arange(len(predicted)), predicted] += 1
    return raw / raw.sum(1, keepdims=True)


def random(count, size, seed):
    """Answers on `size` examples with up to `count` labels; often a label is missing in gold or predicted."""
    rng = np.random.default_rng(seed)
    gold, predicted = (rng.choice(rng.permutation(count)[: rng.integers(1, count + 1)], size) for _ in range(2))
    guessed = np.where(rng.random(size) < 0.5, gold, predicted)
    return made(gold, guessed, LETTERS[:count], unsure(guessed, count, seed))


def answered():
    """Answers with 2 to 5 labels on 1 to 40 examples."""
    return st.builds(random, st.integers(2, 5), st.integers(1, 40), st.integers(0, 2**32 - 1))
