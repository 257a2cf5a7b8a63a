"""Overlap of words (Lin 2004)."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._metric import Metric
from runner.parts.metrics._rouge import rouge


class Rouge1(Metric):
    """Mean F1 of words in a text and the right one that is nearest, from 0 to 1 (Lin 2004).

    ```toml
    type = "rouge_1"
    ```
    """

    kind: ClassVar[str] = "rouge_1"
    reads: ClassVar[Shape] = Texts
    packages: ClassVar[tuple[str, ...]] = ("rouge-score",)

    type: Literal["rouge_1"] = "rouge_1"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return resamples.means(rouge(resamples.answers, "rouge1"))
