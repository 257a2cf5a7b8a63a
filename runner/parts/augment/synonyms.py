"""Replacement of words by synonyms (Wei and Zou 2019, EDA, arXiv:1901.11196)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._synonyms import LookUp, Synonymous, bare


class Synonyms(Synonymous):
    """Replace words by synonyms from a table of yours or a wordnet; punctuation, and words without a synonym, stay.

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
        able = [at for at, word in enumerate(words) if instead(word, synonyms)]
        if not able:
            return text
        for at in rng.sample(able, min(len(able), max(1, int(self.alpha * len(words))))):
            words[at] = rng.choice(instead(words[at], synonyms))
        return " ".join(words)


def instead(word: str, synonyms: LookUp) -> Sequence[str]:
    """What may stand instead of a word: its synonyms, or those of what stands within punctuation, which stays."""
    within = bare(word)
    return synonyms(word) or [word.replace(within, each, 1) for each in synonyms(within)]
