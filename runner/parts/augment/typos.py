"""Slips of a hand on a QWERTY keyboard: neighbouring keys, swapped, lost and doubled letters."""

from __future__ import annotations

import random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._augmentation import Augmentation

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {
    key: "".join(
        ROWS[near][place]
        for near in range(max(0, row - 1), min(3, row + 2))
        for place in range(max(0, at - 1), min(len(ROWS[near]), at + 2))
        if ROWS[near][place] != key
    )
    for row, keys in enumerate(ROWS)
    for at, key in enumerate(keys)
}


class Typos(Augmentation):
    """Mistype some words as people do.

    ```toml
    type = "typos"
    alpha = 0.1
    ```
    """

    kind: ClassVar[str] = "typos"

    type: Literal["typos"]
    """The kind of augmentation."""
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Mistyped words as a share of the words, at least one. Default 0.1."""

    def apply(self, text: str, rng: random.Random) -> str:
        words = text.split(" ")
        able = [at for at, word in enumerate(words) if sum(map(str.isalpha, word)) > 2]
        for at in rng.sample(able, min(len(able), max(1, int(self.alpha * len(words))))):
            words[at] = mistyped(words[at], rng)
        return " ".join(words)


def mistyped(word: str, rng: random.Random) -> str:
    """The word with one slip."""
    at = rng.choice([place for place, letter in enumerate(word) if letter.isalpha()])
    slip = rng.choice(("neighbour", "swap", "lose", "double"))
    if slip == "neighbour" and word[at].lower() in NEIGHBOURS:
        other = rng.choice(NEIGHBOURS[word[at].lower()])
        return word[:at] + (other.upper() if word[at].isupper() else other) + word[at + 1 :]
    if slip == "swap" and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if slip == "lose":
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at] + word[at:]
