"""Likelihoods: how surprising the text of each example is to a language model."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from runner.answers.answers import Answers, Place, Told
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
        """The probability of the right text is that of one token, as the geometric mean over them.

        In place of labels stands what it is a mean of.
        """
        import math

        pairs = zip(self.nats.tolist(), self.tokens.tolist(), strict=True)
        chances = [math.exp(-nats / tokens) if tokens else None for nats, tokens in pairs]
        sizes = zip(self.tokens.tolist(), self.bytes.tolist(), strict=True)
        counts = [json.dumps({"tokens": tokens, "bytes": bytes}) for tokens, bytes in sizes]
        return Told(counts, counts, [None] * len(self), chances)

    @classmethod
    def retold(cls, place: Place, told: Told) -> Likelihoods:
        import numpy as np

        counts = [json.loads(each) for each in told.gold]
        tokens, bytes = (np.array([each[name] for each in counts], np.int64) for name in ("tokens", "bytes"))
        chances = np.array([1.0 if chance is None else chance for chance in told.gold_probability], np.float64)
        return cls(*place, -np.log(chances) * tokens, tokens, bytes)

    def resamples(self, rows: npt.NDArray[np.int64]) -> Resamples[Likelihoods]:
        return Resamples(self, rows)
