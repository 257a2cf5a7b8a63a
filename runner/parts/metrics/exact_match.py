"""Texts that are written as the data have them."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._metric import Metric
from runner.parts.metrics._nearest import best


class ExactMatch(Metric):
    """Share of texts that equal a right one but for white space around them, from 0 to 1.

    ```toml
    type = "exact_match"
    ```
    """

    kind: ClassVar[str] = "exact_match"
    reads: ClassVar[Shape] = Texts

    type: Literal["exact_match"] = "exact_match"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return resamples.means(best(resamples.answers, lambda gold, said: float(gold.strip() == said.strip())))
