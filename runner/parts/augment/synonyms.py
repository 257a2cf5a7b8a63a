"""Replacement of words by synonyms (Wei and Zou 2019, EDA, arXiv:1901.11196)."""

from __future__ import annotations

from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._synonyms import LookUp, Synonymous


class Synonyms(Synonymous):
    """Replace words by synonyms from a table of yours or a wordnet; words without a synonym stay.

    ```toml
    type = "synonyms"
    table = { quick = ["fast", "swift"] }
    ```
    """

    kind: ClassVar[str] = "synonyms"

    type: Literal["synonyms"]
    """The kind of augmentation."""
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Replaced words as a share of the words, at least one where one has a synonym. Default 0.1."""

    def vary(self, text: str, synonyms: LookUp, rng: Random) -> str:
        words = text.split()
        able = [at for at, word in enumerate(words) if synonyms(word)]
        if not able:
            return text
        for at in rng.sample(able, min(len(able), max(1, int(self.alpha * len(words))))):
            words[at] = rng.choice(synonyms(words[at]))
        return " ".join(words)
