"""Random insertion of punctuation marks (Karimi and others 2021, AEDA, arXiv:2108.13230)."""

from __future__ import annotations

import random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._augmentation import Augmentation

MARKS = (".", ";", "?", ":", "!", ",")


class Punctuation(Augmentation):
    """Put punctuation marks between words; all words stay in their order.

    ```toml
    type = "punctuation"
    alpha = 0.3
    ```
    """

    kind: ClassVar[str] = "punctuation"

    type: Literal["punctuation"]
    """The kind of augmentation."""
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Most marks as a share of the words; their number is drawn between 1 and that. Default 0.3, as in the paper."""

    def apply(self, text: str, rng: random.Random) -> str:
        words = text.split()
        if not words:
            return text
        count = rng.randint(1, max(1, int(self.alpha * len(words))))
        before = set(rng.sample(range(len(words)), count))
        return " ".join(f"{rng.choice(MARKS)} {word}" if at in before else word for at, word in enumerate(words))
