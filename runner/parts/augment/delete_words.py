"""Random deletion of words (Wei and Zou 2019, EDA, arXiv:1901.11196)."""

from __future__ import annotations

import random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._augmentation import Augmentation


class DeleteWords(Augmentation):
    """Leave out words, never all.

    ```toml
    type = "delete_words"
    alpha = 0.1
    ```
    """

    kind: ClassVar[str] = "delete_words"

    type: Literal["delete_words"]
    """The kind of augmentation."""
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Probability of each word to go. Default 0.1."""

    def apply(self, text: str, rng: random.Random) -> str:
        words = text.split()
        if not words:
            return text
        kept = [word for word in words if rng.random() >= self.alpha]
        return " ".join(kept or [rng.choice(words)])
