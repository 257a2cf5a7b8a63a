"""Many samples of the same answers at once, and what metrics count in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from runner.parts.answers import Answers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Numbers: TypeAlias = "npt.NDArray[np.float64]"


@dataclass(frozen=True, eq=False)
class Resamples:
    """Samples of `answers`: row r of `rows`, shape [samples, examples], lists the examples of sample r.

    Counts have shape [samples, labels]; they are made once and shared by all metrics that ask.
    """

    answers: Answers
    rows: npt.NDArray[np.int64]

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

    @property
    def occurring(self) -> npt.NDArray[np.bool_]:
        """Which labels a sample has in gold or predicted, shape [samples, labels]."""
        return (self.gold + self.predicted) > 0

    def tally(self, codes: npt.NDArray[np.int64], count: int, weights: Numbers | None = None) -> Numbers:
        """Examples (or their weights) of each code 0..count-1 in each sample, shape [samples, count]."""
        import numpy as np

        samples = len(self.rows)
        cells = codes[self.rows] + count * np.arange(samples)[:, None]
        each = None if weights is None else weights[self.rows].ravel()
        return np.bincount(cells.ravel(), each, samples * count).reshape(samples, count).astype(np.float64)


def precision(resamples: Resamples) -> Numbers:
    """Right share of the predictions of each label, shape [samples, labels]."""
    return ratio(resamples.hits, resamples.predicted)


def recall(resamples: Resamples) -> Numbers:
    """Share of each label's examples that are found, shape [samples, labels]."""
    return ratio(resamples.hits, resamples.gold)


def f1(resamples: Resamples) -> Numbers:
    """Harmonic mean of precision and recall of each label, shape [samples, labels]."""
    return ratio(2 * resamples.hits, resamples.gold + resamples.predicted)


def ratio(part: Numbers, whole: Numbers) -> Numbers:
    """`part / whole`, and 0 where `whole` is 0."""
    import numpy as np

    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole != 0)


def mean(values: Numbers, among: npt.NDArray[np.bool_]) -> Numbers:
    """Mean over the labels `among` those counted, shape [samples]."""
    import numpy as np

    return ratio((values * among).sum(1), among.sum(1).astype(np.float64))
