"""Worlds whose true scores are known: how often intervals hold them. `benchmarks/coverage.py` asks more often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from runner import kinds
from runner.answers.choices import Choices
from runner.evaluate.measure import measure

MANY = 400_000  # examples whose score stands for the true one


@dataclass(frozen=True)
class World:
    """A model that is right about so many examples of each label; `cluster` examples share their luck."""

    name: str
    metric: str
    right: tuple[float, ...]
    frequent: tuple[float, ...]
    size: int = 200
    cluster: int = 1
    ignore: bool = False
    method: Any = "bca"

    def drawn(self, rng: np.random.Generator, size: int) -> tuple[Choices, list[str]]:
        """Answers to so many examples, and the cluster of each."""
        labels, groups = len(self.right), size // self.cluster
        gold = np.repeat(rng.choice(labels, groups, p=self.frequent), self.cluster)
        lucky = np.repeat(rng.random(groups), self.cluster) < np.array(self.right)[gold]
        wrong = (gold + rng.integers(1, labels, len(gold))) % labels
        predicted = np.where(lucky, gold, wrong)
        names = tuple("abcdefgh"[:labels])
        answers = Choices("t", "test", names, (), gold, predicted, np.eye(labels)[predicted])
        return answers, [str(place) for place in np.arange(len(gold)) // self.cluster]

    def score(self, answers: Choices) -> float:
        part: Any = kinds.pick("metrics", self.metric)()
        return float(part.score(answers)[""])


def worlds() -> tuple[World, ...]:
    """The worlds that are asked."""
    even, rare = (0.5, 0.5), (0.85, 0.15)
    return (
        World("accuracy", "accuracy", (0.8, 0.8), even),
        World("accuracy of a good model", "accuracy", (0.95, 0.95), even, size=300),
        World("macro F1 of rare labels", "macro_f1", (0.9, 0.6), rare, size=300),
        World("balanced accuracy", "balanced_accuracy", (0.9, 0.7, 0.5), (0.5, 0.3, 0.2), size=300),
        World("accuracy of clusters", "accuracy", (0.75, 0.75), even, size=600, cluster=5),
    )


def covered(world: World, rounds: int, resamples: int, seed: int) -> float:
    """How often the interval of a test set holds the true score."""
    rng = np.random.default_rng(seed)
    truth = world.score(world.drawn(rng, MANY)[0])
    held = 0
    for each in range(rounds):
        answers, names = world.drawn(rng, world.size)
        units = names if world.cluster > 1 and not world.ignore else None
        (found,) = measure(answers, [world.metric], 0.95, resamples, each, world.method, units)
        held += found.low <= truth <= found.high
    return held / rounds
