"""Overlap of the longest common run of words, gaps allowed (Lin 2004)."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._metric import Metric
from runner.parts.metrics._rouge import rouge


class RougeL(Metric):
    """Mean F1 of the longest run of words, gaps allowed, that a text shares with the nearest right one (Lin 2004).

    ```toml
    type = "rouge_l"
    ```
    """

    kind: ClassVar[str] = "rouge_l"
    reads: ClassVar[Shape] = Texts
    packages: ClassVar[tuple[str, ...]] = ("rouge-score",)

    type: Literal["rouge_l"] = "rouge_l"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return resamples.means(rouge(resamples.answers, "rougeL"))
