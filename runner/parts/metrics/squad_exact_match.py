"""Exact match of answers as SQuAD defines it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, Resamples
from runner.answers.texts import Texts
from runner.parts.metrics._metric import Metric
from runner.parts.metrics._squad import best, equal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class SquadExactMatch(Metric):
    """Share of answers with the words of a right one, from 0 to 1; letters, punctuation and articles do not count.

    ```toml
    type = "squad_exact_match"
    ```
    """

    kind: ClassVar[str] = "squad_exact_match"
    reads: ClassVar[Shape] = Texts

    type: Literal["squad_exact_match"] = "squad_exact_match"
    """The metric's name."""

    def values(self, resamples: Resamples[Texts]) -> Numbers:
        return resamples.means(best(resamples.answers, equal))

    def right(self, answers: Texts) -> npt.NDArray[np.bool_]:
        return best(answers, equal) > 0
