"""Counted: answers in which labels are found, missed and made up, and the counts that their metrics share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from runner.answers.answers import Answers
from runner.answers.resamples import Numbers, Resamples, ratio

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Counted(Answers):
    """Answers of labels: one a text, several, or one a span."""

    def resamples(self, rows: npt.NDArray[np.int64]) -> Counts[Any]:
        raise NotImplementedError


C = TypeVar("C", bound=Counted)


class Counts(Resamples[C]):
    """Counts have shape [samples, names]; they are made once and shared by all metrics that ask."""

    @property
    def names(self) -> Sequence[str]:
        """What is counted: the labels, or the types of spans."""
        return self.answers.labels

    @property
    def gold(self) -> Numbers:
        """How often each sample has this label."""
        raise NotImplementedError

    @property
    def predicted(self) -> Numbers:
        """How often it is predicted."""
        raise NotImplementedError

    @property
    def hits(self) -> Numbers:
        """How often it is predicted where it is."""
        raise NotImplementedError

    @property
    def occurring(self) -> npt.NDArray[np.bool_]:
        """Which labels a sample has in gold or predicted, shape [samples, names]."""
        return (self.gold + self.predicted) > 0


def precision(counts: Counts[Any]) -> Numbers:
    """Right share of the predictions of each label, shape [samples, names]."""
    return ratio(counts.hits, counts.predicted)


def recall(counts: Counts[Any]) -> Numbers:
    """Share of each label's occurrences that are found, shape [samples, names]."""
    return ratio(counts.hits, counts.gold)


def f1(counts: Counts[Any]) -> Numbers:
    """Harmonic mean of precision and recall of each label, shape [samples, names]."""
    return ratio(2 * counts.hits, counts.gold + counts.predicted)
