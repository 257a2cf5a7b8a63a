"""Average precision: how well probabilities order the examples of each label."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers
from runner.answers.sets import SetCounts, Sets
from runner.parts.metrics._metric import Metric


class AveragePrecision(Metric):
    """Mean over the labels that occur of average precision, from 0 to 1.

    That of a label is the mean of the precision at each example that has it, when examples are ordered by its
    probability; equal probabilities share one place, as in scikit-learn.

    ```toml
    type = "average_precision"
    ```
    """

    kind: ClassVar[str] = "average_precision"
    reads: ClassVar[Shape] = Sets

    type: Literal["average_precision"] = "average_precision"
    """The metric's name."""

    def values(self, resamples: SetCounts) -> Numbers:
        import numpy as np

        return np.array([mean_over_labels(resamples.answers.take(rows)) for rows in resamples.rows])


def mean_over_labels(answers: Sets) -> float:
    """Average precision of these answers; NaN where no label occurs."""
    import numpy as np

    found = [one(g, p) for g, p in zip(answers.gold.T, answers.probabilities.T, strict=True) if g.any()]
    return float(np.mean(found)) if found else float("nan")


def one(gold: Any, probabilities: Any) -> float:
    """Average precision of one label that occurs."""
    import numpy as np

    order = np.argsort(-probabilities, kind="stable")
    ordered, hits = probabilities[order], np.cumsum(gold[order])
    last = np.append(ordered[1:] != ordered[:-1], True)
    precision = hits[last] / (np.flatnonzero(last) + 1)
    return float((np.diff(hits[last], prepend=0) * precision).sum() / hits[-1])
