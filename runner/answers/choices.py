"""Choices: one label for each example, and the counts that its metrics share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from runner.answers.answers import Place, Told
from runner.answers.counted import Counted, Counts
from runner.answers.resamples import Numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Choices(Counted):
    """`gold` and `predicted` index `labels`; `probabilities` has shape [examples, labels] and rows that sum to 1."""

    shape: ClassVar[str] = "choices"

    gold: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: npt.NDArray[np.int64]) -> Choices:
        return replace(
            self,
            ids=(),
            gold=self.gold[rows],
            predicted=self.predicted[rows],
            probabilities=self.probabilities[rows],
        )

    def told(self) -> Told:
        import numpy as np

        span = np.arange(len(self))
        return Told(
            [self.labels[index] for index in self.gold],
            [self.labels[index] for index in self.predicted],
            self.probabilities[span, self.predicted].tolist(),
            self.probabilities[span, self.gold].tolist(),
        )

    @classmethod
    def retold(cls, place: Place, told: Told) -> Choices:
        import numpy as np

        gold, predicted = (codes(values, place.labels) for values in (told.gold, told.predicted))
        span, probabilities = np.arange(len(gold)), np.zeros((len(gold), len(place.labels)))
        probabilities[span, predicted] = np.array(told.confidence, np.float64)  # None becomes NaN
        probabilities[span, gold] = np.array(told.gold_probability, np.float64)
        return cls(*place, gold, predicted, probabilities)

    def resamples(self, rows: npt.NDArray[np.int64]) -> Confusions:
        return Confusions(self, rows)


@dataclass(frozen=True, eq=False)
class Confusions(Counts[Choices]):
    """Counts of labels, shape [samples, labels]."""

    @cached_property
    def gold(self) -> Numbers:
        """How many examples of each sample have this label."""
        return self.tally(self.answers.gold, len(self.answers.labels))

    @cached_property
    def predicted(self) -> Numbers:
        """How many examples of each sample are predicted to have this label."""
        return self.tally(self.answers.predicted, len(self.answers.labels))

    @cached_property
    def hits(self) -> Numbers:
        """How many examples of each sample have this label and are predicted to have it."""
        import numpy as np

        count = len(self.answers.labels)
        right = self.answers.gold == self.answers.predicted
        return self.tally(np.where(right, self.answers.gold, count), count + 1)[:, :count]


def codes(values: Sequence[str], labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """The place of each value among the labels, shape [values]; KeyError where it is none of them."""
    import numpy as np

    place = {label: index for index, label in enumerate(labels)}
    return np.fromiter((place[value] for value in values), np.int64, len(values))
