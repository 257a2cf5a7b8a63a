"""Likelihoods: how surprising the text of each example is to a language model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from runner.answers.answers import Answers, Told
from runner.answers.resamples import Resamples

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Likelihoods(Answers):
    """Of each example the nats of the tokens that count together, their number, and the bytes that they spell."""

    shape: ClassVar[str] = "likelihoods"

    nats: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.int64]
    bytes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.nats)

    def take(self, rows: npt.NDArray[np.int64]) -> Likelihoods:
        return replace(self, ids=(), nats=self.nats[rows], tokens=self.tokens[rows], bytes=self.bytes[rows])

    def told(self) -> Told:
        """The probability of the right text is that of one token, as the geometric mean over them."""
        import math

        pairs = zip(self.nats.tolist(), self.tokens.tolist(), strict=True)
        chances = [math.exp(-nats / tokens) if tokens else None for nats, tokens in pairs]
        return Told([""] * len(self), [""] * len(self), [None] * len(self), chances)

    def resamples(self, rows: npt.NDArray[np.int64]) -> Resamples[Likelihoods]:
        return Resamples(self, rows)
