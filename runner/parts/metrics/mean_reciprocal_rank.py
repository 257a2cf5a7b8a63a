"""How near the top the right text is found (Voorhees 1999)."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.ranks import Ranks
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric


class MeanReciprocalRank(Metric):
    """Mean of 1 divided by the place of the right text among all, from 0 to 1 (Voorhees 1999, TREC-8).

    ```toml
    type = "mean_reciprocal_rank"
    ```
    """

    kind: ClassVar[str] = "mean_reciprocal_rank"
    reads: ClassVar[Shape] = Ranks

    type: Literal["mean_reciprocal_rank"] = "mean_reciprocal_rank"
    """The metric's name."""

    def values(self, resamples: Resamples[Ranks]) -> Numbers:
        return resamples.means(1.0 / resamples.answers.ranks)
