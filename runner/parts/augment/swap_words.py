"""Random swap of two words (Wei and Zou 2019, EDA, arXiv:1901.11196)."""

from __future__ import annotations

import random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._augmentation import Augmentation


class SwapWords(Augmentation):
    """Let two words change places, several times.

    ```toml
    type = "swap_words"
    alpha = 0.1
    ```
    """

    kind: ClassVar[str] = "swap_words"

    type: Literal["swap_words"]
    """The kind of augmentation."""
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Swaps as a share of the words, at least one. Default 0.1."""

    def apply(self, text: str, rng: random.Random) -> str:
        words = text.split()
        if len(words) < 2:
            return text
        for _ in range(max(1, int(self.alpha * len(words)))):
            first, second = rng.sample(range(len(words)), 2)
            words[first], words[second] = words[second], words[first]
        return " ".join(words)
