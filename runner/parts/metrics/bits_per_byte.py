"""Bits per byte: how far a language model would compress texts, whatever its tokens are."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.likelihoods import Likelihoods
from runner.answers.resamples import Numbers, Resamples
from runner.parts.metrics._metric import Metric


class BitsPerByte(Metric):
    """Bits of the tokens that count over the bytes that they spell in UTF-8, from 0; of all examples together.

    ```toml
    type = "bits_per_byte"
    ```
    """

    kind: ClassVar[str] = "bits_per_byte"
    reads: ClassVar[Shape] = Likelihoods
    higher_is_better: ClassVar[bool] = False
    range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "bits"

    type: Literal["bits_per_byte"] = "bits_per_byte"
    """The metric's name."""

    def values(self, resamples: Resamples[Likelihoods]) -> Numbers:
        import math

        given = resamples.answers
        return resamples.sums(given.nats) / math.log(2) / resamples.sums(given.bytes)
