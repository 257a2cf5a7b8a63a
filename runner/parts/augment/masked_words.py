"""Words filled in anew by a masked language model (Kobayashi 2018, arXiv:1805.06201)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.augment._augmentation import Parent, Places, Refused
from runner.parts.augment._filler import WORD, Filler, Gap
from runner.parts.augment._written import Write, Written
from runner.parts.tasks._task import Text


class MaskedWords(Written):
    """Let a masked language model put other words in the places of some.

    ```toml
    type = "masked_words"
    model = "models/bert-base-uncased"
    alpha = 0.15
    ```
    """

    kind: ClassVar[str] = "masked_words"
    models: ClassVar[Mapping[str, tuple[str, ...]]] = {"model": ("masked",), "embedder": ("encoder", "masked")}

    type: Literal["masked_words"]
    """The kind of augmentation."""
    model: Text
    """Masked language model that fills in: a folder, `package:NAME` or hub id."""
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.15
    """Words filled in anew as a share of the words, at least one. Default 0.15."""
    top_k: Annotated[int, Field(ge=1, le=1000)] = 10
    """Likeliest other words among which one is drawn by its probability. Default 10."""

    def writer(self, places: Places) -> Write:
        filler = Filler(places["model"], self.top_k)

        def write(parents: Sequence[Parent]) -> list[str | Refused]:
            texts = [parent.text for parent in parents]
            gaps = [self.gaps(parent.text, parent.rng) for parent in parents]
            return [*filler.fill(texts, gaps)]

        return write

    def gaps(self, text: str, rng: random.Random) -> list[Gap]:
        """The words that go, in their order, each with the number in [0, 1) that chooses the new one."""
        words = list(WORD.finditer(text))
        if not words:
            return []
        chosen = sorted(rng.sample(range(len(words)), max(1, int(self.alpha * len(words)))))
        return [Gap(at, words[at].start(), words[at].end(), rng.random()) for at in chosen]
