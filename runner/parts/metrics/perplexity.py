"""Perplexity: among how many equal choices a language model is as unsure at each token."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.likelihoods import Likelihoods
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric


class Perplexity(Metric):
    """Exponential of the mean nats of the tokens that count, from 1; of all examples together.

    ```toml
    type = "perplexity"
    ```
    """

    kind: ClassVar[str] = "perplexity"
    reads: ClassVar[Shape] = Likelihoods
    higher_is_better: ClassVar[bool] = False
    range: ClassVar[tuple[float, float]] = (1.0, math.inf)

    type: Literal["perplexity"] = "perplexity"
    """The metric's name."""

    def values(self, resamples: Resamples[Likelihoods]) -> Numbers:
        import numpy as np

        given = resamples.answers
        return np.exp(resamples.sums(given.nats) / resamples.sums(given.tokens))
