"""Overlap of pairs of neighbouring words (Lin 2004)."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._metric import Metric
from runner.parts.metrics._rouge import rouge


class Rouge2(Metric):
    """Mean F1 of pairs of neighbouring words in a text and the right one that is nearest, from 0 to 1 (Lin 2004).

    ```toml
    type = "rouge_2"
    ```
    """

    kind: ClassVar[str] = "rouge_2"
    reads: ClassVar[Shape] = Texts
    packages: ClassVar[tuple[str, ...]] = ("rouge-score",)

    type: Literal["rouge_2"] = "rouge_2"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return resamples.means(rouge(resamples.answers, "rouge2"))
