"""Word n-grams that two texts share, by precision (Papineni and others 2002)."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._bleu import bleu, counted
from runner.parts.metrics._metric import Metric


class Bleu(Metric):
    """BLEU of all texts together, from 0 to 1 (Papineni and others 2002), as sacrebleu does it (arXiv:1804.08771).

    ```toml
    type = "bleu"
    ```
    """

    kind: ClassVar[str] = "bleu"
    reads: ClassVar[Shape] = Texts
    packages: ClassVar[tuple[str, ...]] = ("sacrebleu",)

    type: Literal["bleu"] = "bleu"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return bleu(resamples.sums(counted(resamples.answers)))
