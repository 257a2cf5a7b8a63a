"""The sentences of a text in another order."""

from __future__ import annotations

import random
import re
from typing import ClassVar, Literal

from runner.parts.augment._augmentation import Augmentation

# After a mark and spaces comes no small letter; or a line ends.
END = re.compile(r"(?<=[.!?])\s+(?=[\"'(\[]?[^\W\d_a-z])|\n+")
TRIES = 8


class ShuffleSentences(Augmentation):
    """Write the sentences of a text in another order.

    ```toml
    type = "shuffle_sentences"
    ```
    """

    kind: ClassVar[str] = "shuffle_sentences"

    type: Literal["shuffle_sentences"]
    """The kind of augmentation."""

    def apply(self, text: str, rng: random.Random) -> str:
        sentences = [each for each in END.split(text.strip()) if each]
        if len(sentences) < 2:
            return text
        before = list(sentences)
        for _ in range(TRIES):
            rng.shuffle(sentences)
            if sentences != before:
                break
        return " ".join(sentences)
