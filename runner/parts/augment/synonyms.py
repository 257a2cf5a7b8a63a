"""Replacement of words by synonyms (Wei and Zou 2019, EDA, arXiv:1901.11196)."""

from __future__ import annotations

import random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._augmentation import Augmentation
from runner.parts.tasks._task import Text


class Synonyms(Augmentation):
    """Replace words by synonyms from a table of yours.

    ```toml
    type = "synonyms"
    table = { quick = ["fast", "swift"] }
    ```
    """

    kind: ClassVar[str] = "synonyms"

    type: Literal["synonyms"]
    """The kind of augmentation."""
    table: Annotated[dict[Text, Annotated[list[Text], Field(min_length=1)]], Field(min_length=1)]
    """Synonyms by word, in small letters; words without an entry stay."""
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Replaced words as a share of the words, at least one where one has an entry. Default 0.1."""

    def apply(self, text: str, rng: random.Random) -> str:
        words = text.split()
        able = [at for at, word in enumerate(words) if word.lower() in self.table]
        if not able:
            return text
        for at in rng.sample(able, min(len(able), max(1, int(self.alpha * len(words))))):
            words[at] = rng.choice(self.table[words[at].lower()])
        return " ".join(words)
