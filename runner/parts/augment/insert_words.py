"""Random insertion of synonyms (Wei and Zou 2019, EDA, arXiv:1901.11196)."""

from __future__ import annotations

from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._synonyms import LookUp, Synonymous, bare


class InsertWords(Synonymous):
    """Insert synonyms of some words anywhere; all words stay in their order.

    ```toml
    type = "insert_words"
    table = { quick = ["fast", "swift"] }
    ```
    """

    kind: ClassVar[str] = "insert_words"

    type: Literal["insert_words"]
    """The kind of augmentation."""
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Inserted words as a share of the words, at least one where a word has a synonym. Default 0.1."""

    def vary(self, text: str, synonyms: LookUp, rng: Random) -> str:
        words = text.split()
        able = [found for word in words if (found := synonyms(word) or synonyms(bare(word)))]
        if not able:
            return text
        for _ in range(max(1, int(self.alpha * len(words)))):
            words.insert(rng.randint(0, len(words)), rng.choice(rng.choice(able)))
        return " ".join(words)
