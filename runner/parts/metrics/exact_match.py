"""Texts that are written as the data have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._metric import Metric
from runner.parts.metrics._nearest import best

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


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
        return resamples.means(best(resamples.answers, same))

    def right(self, answers: Texts) -> npt.NDArray[np.bool_]:
        return best(answers, same) > 0


def same(gold: str, said: str) -> float:
    """1 where both texts are equal but for white space around them, else 0."""
    return float(gold.strip() == said.strip())
