"""Character n-grams that two texts share (Popović 2015)."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._characters import chrf, counted
from runner.parts.metrics._metric import Metric


class Chrf(Metric):
    """F2 of character n-grams up to 6, of all texts together, from 0 to 1: chrF2 (Popović 2015).

    ```toml
    type = "chrf"
    ```
    """

    kind: ClassVar[str] = "chrf"
    reads: ClassVar[Shape] = Texts

    type: Literal["chrf"] = "chrf"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return chrf(resamples.sums(counted(resamples.answers)))
