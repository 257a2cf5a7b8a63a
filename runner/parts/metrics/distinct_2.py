"""How varied the pairs of neighbouring words are (Li and others 2016)."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._distinct import distinct
from runner.parts.metrics._metric import Metric


class Distinct2(Metric):
    """Different pairs of neighbouring words as a share of all in the texts, 0 to 1 (Li and others 2016).

    It falls with the number of texts, and a text drawn twice adds nothing new: it has no interval.

    ```toml
    type = "distinct_2"
    ```
    """

    kind: ClassVar[str] = "distinct_2"
    reads: ClassVar[Shape] = Texts
    drawn: ClassVar[bool] = False

    type: Literal["distinct_2"] = "distinct_2"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return distinct(resamples, 2)
