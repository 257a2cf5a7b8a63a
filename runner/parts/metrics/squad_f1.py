"""F1 of the words of answers as SQuAD defines it."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._metric import Metric
from runner.parts.metrics._squad import best, overlap


class SquadF1(Metric):
    """Mean F1 of the words of an answer and of the right one that is nearest, from 0 to 1; articles do not count.

    ```toml
    type = "squad_f1"
    ```
    """

    kind: ClassVar[str] = "squad_f1"
    reads: ClassVar[Shape] = Texts

    type: Literal["squad_f1"] = "squad_f1"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return resamples.means(best(resamples.answers, overlap))
