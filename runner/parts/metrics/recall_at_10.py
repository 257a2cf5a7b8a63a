"""Whether the right text is among the first 10 found."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.ranks import Ranks
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class RecallAt10(Metric):
    """Share of examples whose right text is among the 10 nearest of all, from 0 to 1.

    ```toml
    type = "recall_at_10"
    ```
    """

    kind: ClassVar[str] = "recall_at_10"
    reads: ClassVar[Shape] = Ranks

    type: Literal["recall_at_10"] = "recall_at_10"
    """The metric's name."""

    def values(self, resamples: Resamples[Ranks]) -> Numbers:
        return resamples.means(resamples.answers.ranks <= 10)

    def right(self, answers: Ranks) -> npt.NDArray[np.bool_]:
        return answers.ranks <= 10
