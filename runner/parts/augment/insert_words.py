"""Random insertion of synonyms (Wei and Zou 2019, EDA, arXiv:1901.11196)."""

from __future__ import annotations

import random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._augmentation import Augmentation
from runner.parts.tasks._task import Text


class InsertWords(Augmentation):
    """Insert synonyms of some words anywhere; all words stay in their order.

    ```toml
    type = "insert_words"
    table = { quick = ["fast", "swift"] }
    ```
    """

    kind: ClassVar[str] = "insert_words"

    type: Literal["insert_words"]
    """The kind of augmentation."""
    table: Annotated[dict[Text, Annotated[list[Text], Field(min_length=1)]], Field(min_length=1)]
    """Synonyms by word, in small letters."""
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Inserted words as a share of the words, at least one where a word has an entry. Default 0.1."""

    def apply(self, text: str, rng: random.Random) -> str:
        words = text.split()
        able = [word.lower() for word in words if word.lower() in self.table]
        if not able:
            return text
        for _ in range(max(1, int(self.alpha * len(words)))):
            words.insert(rng.randint(0, len(words)), rng.choice(self.table[rng.choice(able)]))
        return " ".join(words)
