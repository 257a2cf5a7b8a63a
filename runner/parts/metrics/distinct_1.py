"""How varied the words are (Li and others 2016)."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._distinct import distinct
from runner.parts.metrics._metric import Metric


class Distinct1(Metric):
    """Different words as a share of all in the texts, from 0 to 1 (Li and others 2016, arXiv:1510.03055).

    It falls with the number of texts, and a text drawn twice adds nothing new: it has no interval.

    ```toml
    type = "distinct_1"
    ```
    """

    kind: ClassVar[str] = "distinct_1"
    reads: ClassVar[Shape] = Texts
    drawn: ClassVar[bool] = False

    type: Literal["distinct_1"] = "distinct_1"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return distinct(resamples, 1)
