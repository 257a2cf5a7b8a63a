"""AURC: how wrong a model is that may leave out what it is least sure of."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.choices import Confusions
from runner.answers.resamples import Numbers, ratio
from runner.parts.metrics._metric import Metric


class Aurc(Metric):
    """Area under the curve of risk by coverage, from 0 to 1; 0 is perfect (Geifman, Uziel and El-Yaniv 2019).

    The mean, over all shares of the examples, of the share of wrong answers among so many of the surest. Examples that
    are equally sure count as wrong as they are together, whatever their order.

    ```toml
    type = "aurc"
    ```
    """

    kind: ClassVar[str] = "aurc"
    higher_is_better: ClassVar[bool] = False

    type: Literal["aurc"] = "aurc"
    """The metric's name."""

    def values(self, resamples: Confusions) -> Numbers:
        import numpy as np

        answers = resamples.answers
        confidence = answers.probabilities[np.arange(len(answers)), answers.predicted]
        levels, place = np.unique(-confidence, return_inverse=True)  # the surest first
        wrong = (answers.gold != answers.predicted).astype(np.float64)
        risk = ratio(resamples.tally(place, len(levels), wrong), resamples.tally(place, len(levels)))
        ordered = np.take_along_axis(risk, np.sort(place[resamples.rows], axis=1), axis=1)
        found: Numbers = (ordered.cumsum(1) / np.arange(1, ordered.shape[1] + 1)).mean(1)
        return found
