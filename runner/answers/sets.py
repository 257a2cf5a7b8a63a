"""Sets: any number of labels for each example."""

from __future__ import annotations

import json
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
class Sets(Counted):
    """`gold` and `predicted` are bool and `probabilities` float64, all of shape [examples, labels]."""

    shape: ClassVar[str] = "sets"

    gold: npt.NDArray[np.bool_]
    predicted: npt.NDArray[np.bool_]
    probabilities: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: npt.NDArray[np.int64]) -> Sets:
        return replace(
            self, ids=(), gold=self.gold[rows], predicted=self.predicted[rows], probabilities=self.probabilities[rows]
        )

    def told(self) -> Told:
        nothing: list[float | None] = [None] * len(self)
        return Told(self.names(self.gold), self.names(self.predicted), nothing, nothing)

    @classmethod
    def retold(cls, place: Place, told: Told) -> Sets:
        import numpy as np

        index = {label: column for column, label in enumerate(place.labels)}
        gold, predicted = np.zeros((2, len(told.gold), len(index)), np.bool_)
        for chosen, column in ((gold, told.gold), (predicted, told.predicted)):
            for row, labels in enumerate(column):
                chosen[row, [index[str(label)] for label in json.loads(labels)]] = True
        return cls(*place, gold, predicted, np.full(gold.shape, np.nan))

    def names(self, chosen: npt.NDArray[np.bool_]) -> list[str]:
        """The labels of each example as a JSON list."""
        listed = ([self.labels[index] for index in row.nonzero()[0]] for row in chosen)
        return [json.dumps(labels, ensure_ascii=False) for labels in listed]

    def above(self, threshold: float) -> Sets:
        """The same where a label is predicted from this probability on."""
        return replace(self, predicted=self.probabilities >= threshold)

    def resamples(self, rows: npt.NDArray[np.int64]) -> SetCounts:
        return SetCounts(self, rows)


@dataclass(frozen=True, eq=False)
class SetCounts(Counts[Sets]):
    """Counts of labels, shape [samples, labels]."""

    @cached_property
    def gold(self) -> Numbers:
        return self.sums(self.answers.gold)

    @cached_property
    def predicted(self) -> Numbers:
        return self.sums(self.answers.predicted)

    @cached_property
    def hits(self) -> Numbers:
        return self.sums(self.answers.gold & self.answers.predicted)
